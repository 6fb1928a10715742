"""Rows of the coverage table: KMS."""

from . import Row

UNKNOWN = ("NotFoundException", "NotFoundException")
# Who is not a key's owner is told only that it may not use it, by the key's ARN; by its id it is nobody's.
KEY = {"ids": {"KeyId": UNKNOWN}, "stranger": "NotFoundException", "dry_run": False}
DRY_KEY = KEY | {"dry_run": True}


def alias(w):
    """An alias of a fresh key."""
    key = w.key()
    name = f"alias/{key}"
    w.client("kms").create_alias(AliasName=name, TargetKeyId=key)
    return name


def ciphertext(w):
    """What was encrypted under a fresh key."""
    return w.client("kms").encrypt(KeyId=w.key(), Plaintext=b"covered")["CiphertextBlob"]


def account(w):
    """The number of the caller's account."""
    return w.client("sts").get_caller_identity()["Account"]


def grant(w):
    """A fresh key and a grant for it."""
    key = w.key()
    made = w.client("kms").create_grant(KeyId=key, GranteePrincipal=account(w), RetiringPrincipal=account(w), Operations=["Decrypt"])
    return {"KeyId": key, "GrantId": made["GrantId"]}


def retirable(w):
    """The same, the key by its ARN."""
    named = grant(w)
    return named | {"KeyId": w.client("kms").describe_key(KeyId=named["KeyId"])["KeyMetadata"]["Arn"]}


def scheduled(w):
    """A key that waits for its deletion."""
    key = w.key()
    w.client("kms").schedule_key_deletion(KeyId=key)
    return key


def policy(w):
    """The policy that a key has from the beginning."""
    key = w.key()
    return {"KeyId": key, "Policy": w.client("kms").get_key_policy(KeyId=key)["Policy"]}


ROWS = [
    Row("CreateKey", lambda w: {}, service="kms", dry_run=False),
    Row("DescribeKey", lambda w: {"KeyId": w.key()}, service="kms", **KEY),
    Row("ListKeys", lambda w: {}, service="kms", dry_run=False, pages="Keys", page_min=1),
    Row("EnableKey", lambda w: {"KeyId": w.key()}, service="kms", **KEY),
    Row("DisableKey", lambda w: {"KeyId": w.key()}, service="kms", **KEY),
    Row("ScheduleKeyDeletion", lambda w: {"KeyId": w.key()}, service="kms", **KEY),
    Row("CancelKeyDeletion", lambda w: {"KeyId": scheduled(w)}, service="kms", **KEY),
    Row("GetKeyRotationStatus", lambda w: {"KeyId": w.key()}, service="kms", **KEY),
    Row("UpdateKeyDescription", lambda w: {"KeyId": w.key(), "Description": "covered"}, service="kms", **KEY),
    Row("CreateAlias", lambda w: {"AliasName": f"alias/{w.tag}", "TargetKeyId": w.key()}, service="kms", dry_run=False,
        ids={"TargetKeyId": UNKNOWN}, stranger="NotFoundException"),
    Row("UpdateAlias", lambda w: {"AliasName": alias(w), "TargetKeyId": w.key()}, service="kms", dry_run=False,
        ids={"TargetKeyId": UNKNOWN}, stranger="NotFoundException"),
    Row("DeleteAlias", lambda w: {"AliasName": alias(w)}, service="kms", dry_run=False),
    Row("ListAliases", lambda w: {}, service="kms", dry_run=False, pages="Aliases", page_min=1),
    Row("TagResource", lambda w: {"KeyId": w.key(), "Tags": [{"TagKey": "a", "TagValue": "b"}]}, service="kms", **KEY),
    Row("UntagResource", lambda w: {"KeyId": w.key(), "TagKeys": ["a"]}, service="kms", **KEY),
    Row("ListResourceTags", lambda w: {"KeyId": w.key()}, service="kms", pages="Tags", **KEY),
    Row("Encrypt", lambda w: {"KeyId": w.key(), "Plaintext": b"covered"}, service="kms", **DRY_KEY),
    Row("Decrypt", lambda w: {"CiphertextBlob": ciphertext(w)}, service="kms"),
    Row("ReEncrypt", lambda w: {"CiphertextBlob": ciphertext(w), "DestinationKeyId": w.key()}, service="kms",
        ids={"DestinationKeyId": UNKNOWN}, stranger="AccessDeniedException"),
    Row("GenerateDataKey", lambda w: {"KeyId": w.key(), "KeySpec": "AES_256"}, service="kms", **DRY_KEY),
    Row("GenerateDataKeyWithoutPlaintext", lambda w: {"KeyId": w.key(), "KeySpec": "AES_256"}, service="kms", **DRY_KEY),
    Row("GenerateRandom", lambda w: {"NumberOfBytes": 32}, service="kms", dry_run=False),
    Row("CreateGrant", lambda w: {"KeyId": w.key(), "GranteePrincipal": account(w), "Operations": ["Decrypt"]}, service="kms", **DRY_KEY),
    Row("ListGrants", lambda w: {"KeyId": w.key()}, service="kms", pages="Grants", **KEY),
    Row("ListRetirableGrants", lambda w: {"RetiringPrincipal": account(w)}, service="kms", dry_run=False, pages="Grants"),
    Row("RetireGrant", retirable, service="kms"),
    Row("RevokeGrant", grant, service="kms", **DRY_KEY),
    Row("GetKeyPolicy", lambda w: {"KeyId": w.key()}, service="kms", **KEY),
    Row("PutKeyPolicy", policy, service="kms", **KEY),
    Row("ListKeyPolicies", lambda w: {"KeyId": w.key()}, service="kms", pages="PolicyNames", **KEY),
]
