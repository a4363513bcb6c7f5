SELECT slot, before FROM pending
