"""Tiles as files: archives (PMTiles, MBTiles) and directories, and the half-finished work that becomes them."""
