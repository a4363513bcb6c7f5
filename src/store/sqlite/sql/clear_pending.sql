DELETE FROM pending;
DELETE FROM pending_leaf;
