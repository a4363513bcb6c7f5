SELECT id FROM object INDEXED BY object_by_class
WHERE (?1 IS NULL OR key_type = ?1) AND (?2 IS NULL OR private = ?2)
ORDER BY slot
