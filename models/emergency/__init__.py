"""Emergency calls, ambulances and hospitals, from the ring to the handover."""
