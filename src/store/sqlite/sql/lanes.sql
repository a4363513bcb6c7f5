SELECT id, records FROM lane
