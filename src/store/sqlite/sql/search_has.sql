SELECT 1 FROM search WHERE attribute = ?1 AND value = ?2 AND slot = ?3
