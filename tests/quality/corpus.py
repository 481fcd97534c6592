"""The labelled corpus: texts in which we know what stands where. Made by Faker in several locales,
with a fixed seed, so that every run judges the same texts; nobody's data.

A text has golds (kind, value) at known places, or none: then it is a look-alike, something that is
often taken for personal data and is not.
"""

from __future__ import annotations

import base64
import dataclasses
import ipaddress
import json
import random
import string
from typing import Callable

from faker import Faker

from look_alikes import LOOK_ALIKES, Make, chars

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "ja_JP",
           "hi_IN", "sv_SE", "da_DK", "cs_CZ", "tr_TR", "uk_UA", "en_AU")

# What has a checksum, a fixed form or a label of its own: what the goals are set for. A phone number
# in its national form has none, and is measured apart.
STRUCTURED = ("email", "phone", "card", "iban", "ssn", "jwt", "bearer", "vendor_keys", "private_key",
              "url_credentials", "connection_string", "ip", "mac", "entropy")
MEASURED = STRUCTURED + ("phone_national",)

SENTENCES = {
    "en": ("My {label} is {value}, please confirm.", "{label}: {value}", "Use {value} for the booking.",
           "The customer wrote: \"{value}\" and left.", "{value}", "see {value} (from the ticket)"),
    "de": ("Meine {label} lautet {value}, danke.", "{label}: {value}", "Bitte {value} verwenden.",
           "Der Kunde schrieb «{value}» und ging."),
    "fr": ("Mon {label} est {value}, merci.", "{label} : {value}", "Veuillez utiliser {value}.",
           "Le client a écrit « {value} » puis est parti."),
    "es": ("Mi {label} es {value}, gracias.", "{label}: {value}", "Use {value}, por favor."),
    "it": ("Il mio {label} è {value}, grazie.", "{label}: {value}", "Usare {value} per favore."),
    "nl": ("Mijn {label} is {value}, bedankt.", "{label}: {value}", "Gebruik {value} alstublieft."),
    "pl": ("Mój {label} to {value}, dziękuję.", "{label}: {value}", "Proszę użyć {value}."),
    "pt": ("Meu {label} é {value}, obrigado.", "{label}: {value}", "Use {value} por favor."),
    "ja": ("私の{label}は {value} です。", "{label}:{value}", "{value} をご確認ください。"),
    "sv": ("Min {label} är {value}, tack.", "{label}: {value}", "Använd {value} är du snäll."),
    "da": ("Min {label} er {value}, tak.", "{label}: {value}", "Brug venligst {value}."),
    "cs": ("Můj {label} je {value}, děkuji.", "{label}: {value}", "Použijte prosím {value}."),
    "tr": ("Benim {label} {value}, teşekkürler.", "{label}: {value}", "Lütfen {value} kullanın."),
    "uk": ("Мій {label}: {value}, дякую.", "{label} {value}", "Використайте {value}, будь ласка."),
    "hi": ("मेरा {label} {value} है।", "{label}: {value}", "कृपया {value} का उपयोग करें।"),
}

LABELS = {
    "email": ("e-mail", "email", "contact"), "phone": ("phone", "tel", "mobile"),
    "phone_national": ("phone", "tel", "mobile"), "card": ("card", "card number", "Visa"),
    "iban": ("IBAN", "account"), "ssn": ("SSN", "social security number"),
    "ip": ("address", "client", "host"), "mac": ("device", "MAC"),
}

# What people of the country call their telephone; beside the words of LABELS.
PHONE_LABELS = {
    "de": ("Telefon", "Handynummer", "Tel.", "Rufnummer"), "fr": ("téléphone", "Tél.", "portable"),
    "es": ("teléfono", "móvil", "Telf."), "it": ("telefono", "cellulare"),
    "nl": ("telefoonnummer", "mobiel"), "pl": ("telefon", "numer telefonu", "komórka"),
    "pt": ("telefone", "celular"), "ja": ("電話番号", "携帯"), "hi": ("फ़ोन", "मोबाइल नंबर"),
    "sv": ("telefon", "mobilnummer"), "da": ("telefon", "mobil", "tlf."),
    "cs": ("telefon", "mobil"), "tr": ("telefon", "cep telefonu"), "uk": ("телефон", "моб."),
    "en": ("phone number", "cell", "Telephone", "WhatsApp"),
}


@dataclasses.dataclass(frozen=True)
class Gold:
    kind: str
    begin: int  # bytes of the text in UTF-8
    end: int


@dataclasses.dataclass(frozen=True)
class Text:
    text: str
    golds: tuple[Gold, ...]
    about: str  # kind and locale, or what look-alike


def make_corpus(per_locale: int, seed: int = 20261121) -> list[Text]:
    """`per_locale`: values of each kind and locale; look-alikes are as many as all values."""
    texts: list[Text] = []
    for number, locale in enumerate(LOCALES):
        fake = Faker(locale)
        fake.seed_instance(seed + number)
        dice = random.Random(seed + number)
        for kind, make in personal_kinds(locale).items():
            for _ in range(per_locale):
                texts.append(placed(kind, make(fake, dice), locale, dice))
    dice = random.Random(seed)
    for kind, make in SECRETS.items():
        for _ in range(per_locale * 5):
            before, value, after = make(dice)
            texts.append(framed(kind, before, value, after, dice))
    alike = list(LOOK_ALIKES.items())
    fake = Faker("en_US")
    fake.seed_instance(seed)
    for number in range(len(texts)):
        about, make = alike[number % len(alike)]
        sentence = dice.choice(("{}", "id {} done", "Result: {}.", "value={}", "({})", "{}, then {}"))
        text = sentence.replace("{}", make(fake, dice), 1).replace("{}", make(fake, dice))
        texts.append(Text(text, (), about))
    return texts


def placed(kind: str, value: str, locale: str, dice: random.Random) -> Text:
    language = locale[:2]
    labels = LABELS[kind]
    if kind.startswith("phone"):
        labels += PHONE_LABELS[language]
    label = dice.choice(labels)
    sentence = dice.choice(SENTENCES[language])
    if kind == "phone_national":
        sentence = dice.choice([s for s in SENTENCES[language] if "{label}" in s])
    before, after = sentence.replace("{label}", label).split("{value}")
    return gold_text(kind, before, value, after, f"{kind} {locale}")


def framed(kind: str, before: str, value: str, after: str, dice: random.Random) -> Text:
    lead, tail = dice.choice((("", ""), ("log: ", " [end]"), ("The agent ran it with ", "\nand left.")))
    return gold_text(kind, lead + before, value, after + tail, kind)


def gold_text(kind: str, before: str, value: str, after: str, about: str) -> Text:
    begin = len(before.encode())
    gold = Gold(kind, begin, begin + len(value.encode()))
    return Text(before + value + after, (gold,), about)


# personal data ---------------------------------------------------------------------------------

def personal_kinds(locale: str) -> dict[str, Make]:
    kinds: dict[str, Make] = {
        "email": email, "phone": international_phone, "phone_national": national_phone, "card": card,
        "iban": iban, "ip": ip, "mac": mac,
    }
    if locale == "en_US":
        kinds["ssn"] = ssn
    return kinds


def email(fake: Faker, dice: random.Random) -> str:
    address = dice.choice((fake.email, fake.ascii_company_email, fake.safe_email, fake.free_email))()
    form = dice.random()
    if form < 0.1:
        return address.replace("@", "%40")
    if form < 0.2:
        return address.replace("@", "+news@")
    return address.upper() if form < 0.3 else address


# Where Faker's locale never writes numbers for callers from abroad, or only so.
COUNTRY_CODES = {"ja_JP": "+81", "en_US": "+1", "da_DK": "+45", "tr_TR": "+90", "uk_UA": "+380",
                 "cs_CZ": "+420", "en_AU": "+61", "sv_SE": "+46"}
NATIONAL = ("06 12 34 56 78", "(415) 555-0132", "020 7946 0958", "030 1234567")
TRIES = 60


def international_phone(fake: Faker, dice: random.Random) -> str:
    national = ""
    for _ in range(TRIES):
        number = phone(fake)
        if number.startswith("+"):
            return number
        national = number
    code = next(code for locale, code in COUNTRY_CODES.items() if locale in fake.locales)
    return f"{code} {national.lstrip('0')}"


def national_phone(fake: Faker, dice: random.Random) -> str:
    for _ in range(TRIES):
        number = phone(fake)
        if not number.startswith("+"):
            return number
    return dice.choice(NATIONAL)


def phone(fake: Faker) -> str:
    for _ in range(1000):
        number = fake.phone_number().split("x")[0]
        # No exchange has a second leading zero; Faker's formats make some.
        if number.lstrip("(")[:2] != "00" and sum(c.isdigit() for c in number) >= 9:
            return number
    raise AssertionError("this locale has no telephone numbers")


# Some locales know other issuers, or none.
CARDS = Faker("en_US")


def card(fake: Faker, dice: random.Random) -> str:
    CARDS.seed_instance(dice.getrandbits(32))
    issuer = dice.choice(
        ("visa16", "visa13", "visa19", "mastercard", "amex", "discover", "diners", "jcb16", "jcb15"))
    number = CARDS.credit_card_number(issuer)
    while issuer == "jcb16" and not 3528 <= int(number[:4]) <= 3589:  # Faker takes all of 35
        number = CARDS.credit_card_number(issuer)
    if len(number) == 16 and dice.random() < 0.4:
        return dice.choice((" ", "-")).join(number[i:i + 4] for i in range(0, 16, 4))
    if len(number) in (14, 15) and number[0] == "3" and dice.random() < 0.4:
        return dice.choice((" ", "-")).join((number[:4], number[4:10], number[10:]))
    return number


def iban(fake: Faker, dice: random.Random) -> str:
    number = fake.iban()
    if dice.random() < 0.4:
        return " ".join(number[i:i + 4] for i in range(0, len(number), 4))
    return number


def ssn(fake: Faker, dice: random.Random) -> str:
    return fake.ssn()


def ip(fake: Faker, dice: random.Random) -> str:
    if dice.random() < 0.6:
        return fake.ipv4_public()
    address = ipaddress.IPv6Address(fake.ipv6())
    if dice.random() < 0.5:  # with zeros, which are left out
        address = ipaddress.IPv6Address(int(address) & ~(2**80 - 2**16))
    return str(address)


def mac(fake: Faker, dice: random.Random) -> str:
    address = fake.mac_address()
    if dice.random() < 0.2:
        address = address.replace(":", "-")
    return address.upper() if dice.random() < 0.3 else address


# secrets ---------------------------------------------------------------------------------------

ALNUM = string.ascii_letters + string.digits
CAPITALS = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(dice: random.Random) -> tuple[str, str, str]:
    header = json.dumps({"alg": dice.choice(("HS256", "RS256", "ES256")), "typ": "JWT"})
    claims = json.dumps({"sub": chars(dice, 8), "exp": dice.randrange(10**9, 2 * 10**9)})
    token = ".".join((coded(header.encode()), coded(claims.encode()), coded(dice.randbytes(32))))
    before = dice.choice(("token ", "Authorization: Bearer ", "jwt=", '{"id_token":"', ""))
    return before, token, '"}' if before.startswith("{") else ""


def bearer(dice: random.Random) -> tuple[str, str, str]:
    if dice.random() < 0.3:
        pair = f"{chars(dice, 6, string.ascii_lowercase)}:{chars(dice, 10)}"
        return "Authorization: Basic ", base64.b64encode(pair.encode()).decode(), "\n"
    token = chars(dice, dice.randrange(24, 60), ALNUM + "-_.~")[:-1] + "7"
    return dice.choice(("Authorization: Bearer ", "-H 'authorization: bearer ", "Bearer ")), token, "'"


VENDORS: tuple[Callable[[random.Random], str], ...] = (
    lambda d: "AKIA" + chars(d, 16, string.ascii_uppercase + "234567"),
    lambda d: "ASIA" + chars(d, 16, string.ascii_uppercase + "234567"),
    lambda d: "AIza" + chars(d, 35, ALNUM + "-_"),
    lambda d: "ghp_" + chars(d, 36),
    lambda d: "gho_" + chars(d, 36),
    lambda d: "github_pat_" + chars(d, 22) + "_" + chars(d, 59),
    lambda d: "glpat-" + chars(d, 20, ALNUM + "-_"),
    lambda d: f"xoxb-{d.randrange(10**11, 10**12)}-{d.randrange(10**11, 10**12)}-{chars(d, 24)}",
    lambda d: "sk_live_" + chars(d, 24),
    lambda d: "rk_test_" + chars(d, 24),
    lambda d: "sk-proj-" + chars(d, 48, ALNUM + "-_"),
    lambda d: "sk-" + chars(d, 48),
    lambda d: "sk-ant-api03-" + chars(d, 80, ALNUM + "-_") + "AA",
    lambda d: "hf_" + chars(d, 34),
    lambda d: "npm_" + chars(d, 36),
    lambda d: "pypi-AgEIcHlwaS5vcmc" + chars(d, 120, ALNUM + "-_"),
    lambda d: "SG." + chars(d, 22, ALNUM + "-_") + "." + chars(d, 43, ALNUM + "-_"),
    lambda d: "gsk_" + chars(d, 52),
    lambda d: "dop_v1_" + chars(d, 64, "0123456789abcdef"),
    lambda d: "ya29." + chars(d, 60, ALNUM + "-_"),
    lambda d: "hvs.CAESI" + chars(d, 90, ALNUM + "-_"),
    lambda d: "hvb.AAAAAQ" + chars(d, 140, ALNUM + "-_"),
    lambda d: "dapi" + chars(d, 32, HEX),
    lambda d: "SK" + chars(d, 32, HEX),
    lambda d: "AQ.Ab8RN6" + chars(d, 44, ALNUM + "-_"),
    lambda d: "ABSK" + chars(d, 120, ALNUM + "+/"),
    lambda d: "bedrock-api-key-" + chars(d, 120, ALNUM + "+/"),
    lambda d: chars(d, 52) + "JQQJ99" + chars(d, 25),
    lambda d: chars(d, 3) + "8Q~" + chars(d, 33, ALNUM + "-_"),
    lambda d: "ATATT3xFfGF0" + chars(d, 180, ALNUM + "-_="),
    lambda d: "glrt-t1_" + chars(d, 27, ALNUM + "-_") + ".01." + chars(d, 8),
    lambda d: "xoxc-" + "-".join(str(d.randrange(10**11, 10**12)) for _ in "abc") + "-" + chars(d, 63, HEX),
    lambda d: "sntryu_" + chars(d, 63, HEX),
    lambda d: "vcp_" + chars(d, 55, ALNUM + "-_"),
    lambda d: "sb_secret_" + chars(d, 30, ALNUM + "-_"),
    lambda d: "csk-" + chars(d, 47, string.ascii_lowercase + string.digits),
    lambda d: "tskey-auth-" + chars(d, 16) + "-" + chars(d, 31),
)


def webhook(d: random.Random) -> tuple[str, str]:
    slack = f"T{chars(d, 8, CAPITALS)}/B{chars(d, 10, CAPITALS)}/{chars(d, 24)}"
    discord = f"{d.randrange(10**18, 10**19)}/{chars(d, 67, ALNUM + '-_')}a"
    return d.choice((("https://hooks.slack.com/services/", slack),
                     ("https://discord.com/api/webhooks/", discord)))


def vendor_key(dice: random.Random) -> tuple[str, str, str]:
    if dice.random() < 0.1:
        return *webhook(dice), " "
    before = dice.choice(("export KEY=", "key ", "", "'", "found ", "https://api.example.com/?k="))
    key = dice.choice(VENDORS)(dice)
    has_fixed_size = key.startswith(("dapi", "SK"))
    return before, key if has_fixed_size else key.rstrip("-_") + "8", "'" if before == "'" else ""


def private_key(dice: random.Random) -> tuple[str, str, str]:
    label = dice.choice(("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"))
    body = base64.b64encode(dice.randbytes(300)).decode()
    lines = "\n".join(body[i:i + 64] for i in range(0, len(body), 64))
    return "", f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----", "\n"


def url_credentials(dice: random.Random) -> tuple[str, str, str]:
    scheme = dice.choice(("https", "postgres", "redis", "mongodb+srv", "amqp", "ftp", "mysql"))
    user = dice.choice(("", "admin", "svc")) if scheme == "redis" else "svc"
    secret = chars(dice, dice.randrange(6, 20), ALNUM + "!$*+.~-")
    return f"{scheme}://{user}:", secret, "@db.example.com:5432/app?ssl=true"


def connection_string(dice: random.Random) -> tuple[str, str, str]:
    secret = chars(dice, dice.randrange(8, 24), ALNUM + "!#$%*+")
    before, after = dice.choice((
        ("Server=tcp:db.example.com,1433;User ID=app;Password=", ";Encrypt=true;"),
        ("host=db.example.com user=app password=", " sslmode=require"),
        ("Data Source=db;Initial Catalog=app;Uid=app;Pwd=", ";"),
        ('{"user":"app","password":"', '"}'),
        ("export PGPASSWORD=", "\n"),
    ))
    return before, secret, after


def entropy(dice: random.Random) -> tuple[str, str, str]:
    secret = chars(dice, dice.randrange(24, 48)) + "9kQ"
    before, after = dice.choice((
        ("api_key=", " "), ('"apiKey": "', '"'), ("client_secret: ", "\n"), ("X-Api-Key: ", "\n"),
        ("access_token=", "&next=1"), ('{"secret":"', '"}'), ("AWS_SECRET_ACCESS_KEY=", "\n"),
        ("X-Vault-Token: ", "\n"), ("tool --auth-token ", " run"), ("app --password ", " --host db"),
        ("TWILIO_AUTH_TOKEN='", "'"), ("--client-secret '", "' --tenant t"),
    ))
    return before, secret, after


SECRETS: dict[str, Callable[[random.Random], tuple[str, str, str]]] = {
    "jwt": jwt, "bearer": bearer, "vendor_keys": vendor_key, "private_key": private_key,
    "url_credentials": url_credentials, "connection_string": connection_string, "entropy": entropy,
}
