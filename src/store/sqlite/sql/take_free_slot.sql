DELETE FROM free_slot WHERE slot = (SELECT min(slot) FROM free_slot) RETURNING slot
