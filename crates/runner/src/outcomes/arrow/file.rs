//! The places in an Arrow file: the footer and the messages that it names.

use anyhow::Context;
use arrow_ipc::{Block, Footer, root_as_footer_with_opts, root_as_message_with_opts};
use flatbuffers::{Vector, VerifierOptions};

/// The first bytes of a file, and the last ones.
const MAGIC: &[u8; 6] = b"ARROW1";
/// The messages begin after the magic and two bytes.
const BEGIN: usize = 8;
/// Stands before the length of a message; files of early versions lack it.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Deepest nesting of tables.
const DEPTH: usize = 64;

/// The bytes of an Arrow file.
#[derive(Debug)]
pub(super) struct ArrowFile<'a> {
    bytes: &'a [u8],
    /// Where the footer begins.
    end: usize,
    /// The footer, in memory of its own: its numbers must be aligned.
    footer: Vec<u8>,
}

/// A message: its metadata, and the bytes of its columns.
#[derive(Debug)]
pub(super) struct Message<'a> {
    metadata: Vec<u8>,
    /// The bytes of the columns.
    pub(super) body: &'a [u8],
}

impl<'a> ArrowFile<'a> {
    /// Finds the footer.
    ///
    /// # Errors
    /// When the bytes are not a whole Arrow file. Other formats of Arrow are named.
    pub(super) fn new(bytes: &'a [u8]) -> anyhow::Result<Self> {
        anyhow::ensure!(!bytes.is_empty(), "it is empty");
        anyhow::ensure!(
            !bytes.starts_with(b"FEA1"),
            "it is a Feather file of version 1; read it with pandas and save it anew: `pandas.read_feather(old).to_feather(new)`"
        );
        anyhow::ensure!(
            !bytes.starts_with(&CONTINUATION),
            "it is a stream of Arrow, not a file; write it with `pyarrow.ipc.new_file`"
        );
        let cut = "it is truncated or not an Arrow file";
        anyhow::ensure!(bytes.starts_with(MAGIC), cut);
        let (rest, len) =
            bytes.strip_suffix(MAGIC).and_then(|rest| rest.split_last_chunk::<4>()).context(cut)?;
        let end = usize::try_from(i32::from_le_bytes(*len)).ok();
        let end = end.and_then(|len| rest.len().checked_sub(len)).filter(|end| *end >= BEGIN);
        let end = end.context(cut)?;
        Ok(Self { bytes, end, footer: rest[end..].to_vec() })
    }

    /// The footer.
    ///
    /// # Errors
    /// When it is damaged.
    pub(super) fn footer(&self) -> anyhow::Result<Footer<'_>> {
        let options = verifier(self.footer.len());
        root_as_footer_with_opts(&options, &self.footer).context("the footer is damaged")
    }

    /// The messages with dictionaries, and those with rows.
    ///
    /// # Errors
    /// When a message is not in the file or shares bytes with another one.
    pub(super) fn messages(
        &self,
        footer: &Footer<'_>,
    ) -> anyhow::Result<(Vec<Message<'a>>, Vec<Message<'a>>)> {
        let mut places = Vec::new();
        let mut all = |blocks: Option<Vector<'_, Block>>| {
            let messages = blocks.iter().flatten().map(|block| {
                places.push(self.place(block)?);
                self.message(block)
            });
            messages.collect::<anyhow::Result<Vec<_>>>()
        };
        let messages = (all(footer.dictionaries())?, all(footer.recordBatches())?);
        places.sort_unstable();
        let apart = places.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        anyhow::ensure!(apart, "it is damaged: two of its batches share bytes");
        Ok(messages)
    }

    /// Begin and end of a message.
    fn place(&self, block: &Block) -> anyhow::Result<(usize, usize)> {
        let sizes = [block.offset(), block.metaDataLength().into(), block.bodyLength()];
        let place = || {
            let [begin, metadata, body] = sizes.map(|size| usize::try_from(size).ok());
            let end = begin?.checked_add(metadata?)?.checked_add(body?)?;
            (begin? >= BEGIN && end <= self.end).then_some((begin?, end))
        };
        place().context("it is truncated or damaged: a batch is not in the file")
    }

    fn message(&self, block: &Block) -> anyhow::Result<Message<'a>> {
        let (begin, end) = self.place(block)?;
        let (metadata, body) =
            self.bytes[begin..end].split_at(block.metaDataLength().cast_unsigned() as usize);
        let metadata = metadata.strip_prefix(&CONTINUATION).unwrap_or(metadata);
        let (len, metadata) = metadata.split_first_chunk().context("a batch is damaged")?;
        let len = usize::try_from(i32::from_le_bytes(*len)).ok();
        let metadata = len.and_then(|len| metadata.get(..len)).context("a batch is damaged")?;
        Ok(Message { metadata: metadata.to_vec(), body })
    }
}

impl Message<'_> {
    /// The table of the metadata.
    ///
    /// # Errors
    /// When it is damaged.
    pub(super) fn table(&self) -> anyhow::Result<arrow_ipc::Message<'_>> {
        let options = verifier(self.metadata.len());
        root_as_message_with_opts(&options, &self.metadata).context("a batch is damaged")
    }
}

/// Bounds for the tables in `len` bytes. Each table takes four bytes at least; tables that are referred
/// to again and again would keep a reader busy for ever.
fn verifier(len: usize) -> VerifierOptions {
    VerifierOptions {
        max_depth: DEPTH,
        max_tables: len / 4 + 1,
        max_apparent_size: 16 * len + 1024,
        ..VerifierOptions::default()
    }
}
