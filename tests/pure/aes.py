"""Single AES blocks for the tests: the board's own cipher there, a library here."""
try:
    import cryptolib

    def blocks(key):
        """function(octets) -> octets: AES-ECB"""
        return cryptolib.aes(key, 1).encrypt
except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def blocks(key):
        return lambda octets: Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(octets)  # noqa: S305
