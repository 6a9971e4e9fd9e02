"""Cases that several engines simulate, and the engines we compare with."""
