"""Disclosures that stay out of an accounting for a time, because the agency they went to asked for it. 45 CFR 164.528(a)(2)"""
