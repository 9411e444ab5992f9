"""YooKassa emulated on its real wire: payments, refunds, notifications without a signature."""
