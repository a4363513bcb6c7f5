SELECT object.slot, object.id
FROM search CROSS JOIN object ON object.slot = search.slot
WHERE search.attribute = ?1 AND search.value = ?2
    AND (?3 IS NULL OR object.class = ?3)
    AND (?4 IS NULL OR object.key_type = ?4)
    AND (?5 IS NULL OR object.private = ?5)
ORDER BY search.slot
