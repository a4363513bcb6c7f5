INSERT INTO free_slot (slot) VALUES (?1)
