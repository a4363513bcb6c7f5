SELECT count(*) FROM (SELECT 1 FROM search WHERE attribute = ?1 AND value = ?2 LIMIT ?3)
