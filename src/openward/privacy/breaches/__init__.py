"""The breach workbench: whom a suspect account or period touched, the 60-day clock, letters to them, and the log of it all. 45 CFR 164.400-414"""
