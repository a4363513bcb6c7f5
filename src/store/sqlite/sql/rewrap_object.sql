UPDATE object SET epoch = ?3, data_key = ?4 WHERE id = ?1 AND version = ?2
