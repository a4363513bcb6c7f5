DELETE FROM search;
DELETE FROM object;
DELETE FROM free_slot;
DELETE FROM epoch;
