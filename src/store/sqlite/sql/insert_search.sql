INSERT OR IGNORE INTO search (attribute, value, slot) VALUES (?1, ?2, ?3)
