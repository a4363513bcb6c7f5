INSERT INTO pending_leaf (leaf) VALUES (?1)
