INSERT OR IGNORE INTO pending (slot, before) VALUES (?1, ?2)
