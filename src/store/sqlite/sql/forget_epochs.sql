DELETE FROM epoch WHERE number <> ?1
