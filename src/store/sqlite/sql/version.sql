SELECT version FROM object WHERE id = ?1
