INSERT OR REPLACE INTO lane (id, records) VALUES (?1, ?2)
