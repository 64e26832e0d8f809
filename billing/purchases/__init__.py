"""Buying credits: packs, quotes, payments, receipts."""
