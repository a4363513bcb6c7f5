SELECT id FROM object INDEXED BY object_by_class
WHERE class = ?1 AND (?2 IS NULL OR key_type = ?2) AND (?3 IS NULL OR private = ?3)
ORDER BY slot
