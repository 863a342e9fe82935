#!/usr/bin/env python3
"""Bring the code point tables beside this file up to date with the IANA registries.

Fetch the comma-separated copies of the registries (the links "CSV" on the two pages) into a directory:
    https://www.iana.org/assignments/tls-parameters/            tls-parameters-4.csv  cipher suites
                                                                tls-parameters-8.csv  supported groups
                                                                tls-signaturescheme.csv
    https://www.iana.org/assignments/tls-extensiontype-values/  tls-extensiontype-values-1.csv
then, from the root of the repository:
    python3 src/tls/codepoints/refresh.py DIRECTORY           writes the tables, prints what changed
    python3 src/tls/codepoints/refresh.py --check DIRECTORY   prints only; status 1 where something would change

Only the lines between "table begins" and "table ends" are written. A line whose status is Y, N or D is the
registry's and follows it; every other line (values in use that IANA never registered) is ours and is kept. What the
registry does not say (a suite's parts, a group's kind and size) is derived from the name; where that fails the line
is kept if there is one, and named on standard error if there is none. Afterwards set REGISTRY_DATE in mod.rs to the
registries' "Last Updated" and run the tests.
"""

import csv
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
OURS = re.compile(r"^\s*(0x[0-9a-f]{4})\b.*?\s\"([^\"]+)\"\s+(\w+)(.*);$")

KEY_EXCHANGES = {
    "NULL": "Null Null", "RSA": "Rsa Rsa", "DH_DSS": "Dh Dss", "DH_RSA": "Dh Rsa", "DHE_DSS": "Dhe Dss",
    "DHE_RSA": "Dhe Rsa", "DH_anon": "DhAnon Anonymous", "KRB5": "Krb5 Krb5", "PSK": "Psk Psk",
    "DHE_PSK": "DhePsk Psk", "PSK_DHE": "DhePsk Psk", "RSA_PSK": "RsaPsk Psk", "ECDH_ECDSA": "Ecdh Ecdsa",
    "ECDH_RSA": "Ecdh Rsa", "ECDHE_ECDSA": "Ecdhe Ecdsa", "ECDHE_RSA": "Ecdhe Rsa", "ECDHE_PSK": "EcdhePsk Psk",
    "ECDH_anon": "EcdhAnon Anonymous", "SRP_SHA": "Srp Srp", "SRP_SHA_RSA": "Srp Rsa", "SRP_SHA_DSS": "Srp Dss",
    "ECCPWD": "Eccpwd Eccpwd", "GOSTR341112_256": "Gost Gost",
}
CIPHERS = {
    "NULL": "Null None 0", "RC4_40": "Rc4 Stream 40", "RC4_56": "Rc4 Stream 56", "RC4_128": "Rc4 Stream 128",
    "RC2_CBC_40": "Rc2 Cbc 40", "RC2_CBC_56": "Rc2 Cbc 56", "DES40_CBC": "Des Cbc 40", "DES_CBC_40": "Des Cbc 40",
    "DES_CBC": "Des Cbc 56", "3DES_EDE_CBC": "TripleDes Cbc 168", "IDEA_CBC": "Idea Cbc 128",
    "SEED_CBC": "Seed Cbc 128", "CHACHA20_POLY1305": "ChaCha20 Poly1305 256", "SM4_GCM": "Sm4 Gcm 128",
    "SM4_CCM": "Sm4 Ccm 128", "AEGIS_256": "Aegis Aead 256", "AEGIS_128L": "Aegis Aead 128",
    "ASCONAEAD128": "Ascon Aead 128", "KUZNYECHIK_CTR": "Kuznyechik Ctr 256", "MAGMA_CTR": "Magma Ctr 256",
    "28147_CNT": "Gost28147 Cnt 256", "KUZNYECHIK_MGM_L": "Kuznyechik Mgm 256", "MAGMA_MGM_L": "Magma Mgm 256",
    "KUZNYECHIK_MGM_S": "Kuznyechik Mgm 256", "MAGMA_MGM_S": "Magma Mgm 256",
}
for _cipher in ("AES", "CAMELLIA", "ARIA"):
    for _bits in (128, 256):
        for _suffix, _mode in (("CBC", "Cbc"), ("GCM", "Gcm"), ("CCM", "Ccm"), ("CCM_8", "Ccm8")):
            CIPHERS[f"{_cipher}_{_bits}_{_suffix}"] = f"{_cipher.capitalize()} {_mode} {_bits}"
HASHES = {"SHA256": "Sha256", "SHA384": "Sha384", "SHA512": "Sha512", "SM3": "Sm3", "ASCONHASH256": "AsconHash256"}
AEAD_MODES = ("Gcm", "Ccm", "Ccm8", "Poly1305", "Aead", "Mgm")


def suite_parts(name):
    """The columns after the status: key exchange, authentication, cipher, mode, bits, MAC, PRF; None if not derivable."""
    if name.endswith("_SCSV"):
        return "signal"
    if name == "TLS_NULL_WITH_NULL_NULL":
        return "Null Null Null None 0 None Default"
    plain = re.fullmatch(r"TLS_(SHA256|SHA384)_\1", name)
    if plain:
        return f"Tls13 Tls13 Null None 0 {HASHES[plain[1]]} {HASHES[plain[1]]}"
    export = ""
    if "_WITH_" in name:
        exchange, rest = name.removeprefix("TLS_").split("_WITH_")
        if "_EXPORT" in exchange:
            exchange, export = re.sub("_EXPORT(1024)?$", "", exchange), " export"
        exchange = KEY_EXCHANGES.get(exchange)
    else:
        exchange, rest = "Tls13 Tls13", name.removeprefix("TLS_")
    if exchange == "Gost Gost" and "_MGM_" in rest:
        exchange = "Tls13 Tls13"
    for suffix, mac in (("_CTR_OMAC", "Omac"), ("_CNT_IMIT", "Imit")):
        if rest.endswith(suffix):
            cipher = CIPHERS.get(rest[: -len(suffix) + 4])
            return f"{exchange} {cipher} {mac} Streebog256" if cipher and exchange else None
    cipher, _, last = rest.rpartition("_")
    if rest in CIPHERS:  # no hash in the name: RFC 6655 section 3 and RFC 9367 section 4.1 fix it
        cipher, last = rest, "STREEBOG" if "MGM" in rest else "SHA256"
    cipher = CIPHERS.get(cipher)
    if not cipher or not exchange:
        return None
    if cipher.split()[1] in AEAD_MODES:
        prf = HASHES.get(last, "Streebog256" if last == "STREEBOG" else None)
        return f"{exchange} {cipher} Aead {prf}" if prf else None
    if last in ("MD5", "SHA"):
        return f"{exchange} {cipher} {'Md5' if last == 'MD5' else 'Sha1'} Default{export}"
    return f"{exchange} {cipher} {HASHES[last]} {HASHES[last]}{export}" if last in HASHES else None


def group_parts(name):
    """The columns after the status: kind and size in bits (of the field, the prime, or the ML-KEM parameter set)."""
    for pattern, kind in (
        (r"sec(?:p)(\d+)[kr]\d", "Prime"), (r"sect(\d+)[kr]\d", "Binary"), (r"brainpoolP(\d+)r1(?:tls13)?", "Prime"),
        (r"x(25519|448)", "Montgomery"), (r"GC(\d+)[A-D]", "Gost"), (r"curveSM(2)", "Sm2"), (r"ffdhe(\d+)", "FiniteField"),
        (r"MLKEM(\d+)", "MlKem"), (r".*MLKEM(\d+).*", "Hybrid"), (r".*Kyber(\d+)Draft00", "Kyber"),
        (r"arbitrary_explicit_prime_curves()", "ExplicitPrime"), (r"arbitrary_explicit_char2_curves()", "ExplicitChar2"),
    ):
        found = re.fullmatch(pattern, name)
        if found:
            bits = {"25519": "255", "2": "256", "": "0"}.get(found[1], found[1])
            return f"{kind} {bits}"
    return None


def constant(name):
    return re.sub(r"\W+", "_", name).strip("_").upper()


def registered(path, value, name, recommended):
    """(code, name, status) of each line with a status; the name is None where the registry only says "Reserved"."""
    with open(path, newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            digits = row[value].replace("0x", "").replace(",", "") if "," in row[value] else row[value]
            status = row[recommended].strip().rstrip("*")
            hexadecimal = "," in row[value] or digits.startswith("0x")
            if status not in ("Y", "N", "D") or "-" in digits or "GREASE" in row[name]:
                continue
            text = re.sub(r"\s*\((renamed from .*|OBSOLETE)\)$", "", row[name].strip())
            yield int(digits, 16 if hexadecimal else 10), None if text.startswith("Reserved") else text, status


def refresh(file, rows, render, check):
    path = HERE / file
    head, rest = path.read_text(encoding="utf-8").split("// table begins\n", 1)
    table, tail = re.split(r"(?=[ ]*// table ends)", rest, maxsplit=1)
    old = {}
    for line in table.splitlines():
        found = OURS.match(line)
        if found:
            old[int(found[1], 16)] = (line, found[3])
    new = {code: line for code, (line, status) in old.items() if status not in ("Y", "N", "D")}
    for code, name, status in rows:
        if name is None:  # a name of ours for a value the registry took back; a reserved value without one is no news
            if code in old and old[code][1] in ("Y", "N", "D"):
                new[code] = re.sub(r'("[^"]+")\s+\w+', rf"\1 {status}", old[code][0], count=1)
            continue
        line = render(code, name, status)
        if line is None and code in old:
            line = re.sub(r'"[^"]+"\s+\w+', f'"{name}" {status}', old[code][0], count=1)
        if line is None:
            print(f"{file}: cannot derive the columns of 0x{code:04x} {name}", file=sys.stderr)
            continue
        new[code] = line
    changed = False
    for code in sorted(old.keys() | new.keys()):
        before, after = old.get(code, ("",))[0].strip(), new.get(code, "").strip()
        if before != after:
            changed = True
            print(f"{file}: - {before or '(none)'}\n{file}: + {after or '(none)'}")
    if changed and not check:
        lines = "".join(new[code] + "\n" for code in sorted(new))
        path.write_text(f"{head}// table begins\n{lines}{tail}", encoding="utf-8")
    return changed


def main(arguments):
    check = "--check" in arguments
    directories = [argument for argument in arguments if argument != "--check"]
    if len(directories) != 1:
        sys.exit(__doc__)
    source = pathlib.Path(directories[0])

    def suite(code, name, status):
        parts = suite_parts(name)
        return f'    0x{code:04x} "{name}" {status} {parts};' if parts else None

    def group(code, name, status):
        parts = group_parts(name)
        return f'    0x{code:04x} {constant(name)} "{name}" {status} {parts};' if parts else None

    def plain(code, name, status):
        return f'    0x{code:04x} {constant(name)} "{name}" {status};'

    changed = False
    for file, registry, value, name, render in (
        ("suites/table.rs", "tls-parameters-4.csv", "Value", "Description", suite),
        ("groups.rs", "tls-parameters-8.csv", "Value", "Description", group),
        ("signature_schemes.rs", "tls-signaturescheme.csv", "Value", "Description", plain),
        ("extensions.rs", "tls-extensiontype-values-1.csv", "Value", "Extension Name", plain),
    ):
        rows = registered(source / registry, value, name, "Recommended")
        changed |= refresh(file, rows, render, check)
    sys.exit(1 if check and changed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
