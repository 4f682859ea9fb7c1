"""Raspberry Pi Pico W and Pico 2 W. Source: spec/micros_core.md 8.1 and 8.2; 1.20 had no other pin for these boards.

All other names are given by cstmpmap, e.g. `redgb:2; rgreenb:3; rgbue:4`.
"""
builtin = "LED"         # at the radio chip (Pico W datasheet, 3.7), not at GPIO 25, which selects that chip
