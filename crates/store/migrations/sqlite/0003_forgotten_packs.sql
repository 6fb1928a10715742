-- Packs that are gone, but for their rows in `blob`: to delete these takes many transactions, and to
-- forget the packs takes one. Whoever asks is told of no such row.
CREATE TABLE forgotten_pack (
    pack BIGINT NOT NULL,
    CONSTRAINT forgotten_pack_pk PRIMARY KEY (pack)
) WITHOUT ROWID;
