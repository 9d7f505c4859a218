"""The hashes under which debtors are found follow from the bytes of the keys."""

from shared.debtor_hashes import DebtorHashes
from shared.settings import DebtorKey
from tests.support import DEBTOR_KEYS

DEBTOR = "RSSMRA80A01H501U"
[ONE] = DEBTOR_KEYS
TWO = DebtorKey("two", b"a key that everybody knows, no. 2")


def test_a_hash_is_the_hmac_of_the_tax_code_behind_the_id_of_its_key() -> None:
    # openssl dgst -sha256 -hmac "a key that everybody knows, no. 1"
    expected = "one:9009d94d045df96c5166c7cd996499ad61448f9dbefd553034f830898750b689"

    assert DebtorHashes([ONE]).of(DEBTOR) == DebtorHashes([ONE]).of(DEBTOR.lower()) == [expected]


def test_each_key_has_its_hash_in_the_order_of_the_keys() -> None:
    assert DebtorHashes([TWO, ONE]).of(DEBTOR) == [*DebtorHashes([TWO]).of(DEBTOR), *DebtorHashes([ONE]).of(DEBTOR)]


def test_other_bytes_under_the_same_id_give_other_hashes_and_another_fingerprint() -> None:
    one, other = DebtorHashes([ONE]), DebtorHashes([DebtorKey(ONE.id, TWO.secret)])

    assert one.of(DEBTOR) != other.of(DEBTOR)
    assert one.fingerprint != other.fingerprint


def test_the_same_keys_in_another_order_have_another_fingerprint() -> None:
    assert DebtorHashes([ONE, TWO]).fingerprint != DebtorHashes([TWO, ONE]).fingerprint
