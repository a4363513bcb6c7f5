UPDATE object SET
    version = ?2, class = ?3, key_type = ?4, private = ?5,
    epoch = ?6, data_key = ?7, sealed = ?8, clear = ?9
WHERE id = ?1 AND version < ?2
RETURNING slot
