"""Firebase's Realtime Database emulated on its REST wire: one JSON tree for each database."""
