SELECT count(*) FROM object INDEXED BY object_by_class WHERE ?1 IS NULL OR private = ?1
