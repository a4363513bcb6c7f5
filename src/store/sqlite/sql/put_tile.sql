INSERT OR REPLACE INTO state (place, nodes) VALUES (?1, ?2)
