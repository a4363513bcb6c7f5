SELECT 1 FROM object INDEXED BY object_by_class
WHERE class = ?1 AND key_type IS ?2 AND private = ?3 AND id = ?4
