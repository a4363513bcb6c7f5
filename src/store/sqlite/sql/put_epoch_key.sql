INSERT OR REPLACE INTO epoch (number, sealed_key) VALUES (?1, ?2)
