//! Inspects the program of a build: it must contain only code that the compiler makes from the
//! submission's own sources and the kit's crates.
//!
//! This is the last of three layers. The [tokens](crate::intake::tokens) of the sources cannot ask
//! for native code, and the step that links cannot read the sources. A fault of the compiler could
//! defeat both. So three things are inspected, each by properties that the author of a submission
//! cannot know or cannot avoid.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};
use object::elf::{self, Dyn64, ProgramHeader64, Rela64};
use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol, SymbolKind};

/// The only member of a library that is no object: the compiler's metadata.
const METADATA: &[u8] = b"lib.rmeta";
/// The parts of the C library, and the library for unwinding. Rust's standard library asks for all
/// of them, and the linker takes those that are used.
const OF_THE_SYSTEM: [&str; 9] = [
    "ld-linux",
    "libc.",
    "libdl.so.",
    "libgcc_s.so.",
    "libm.so.",
    "libpthread.so.",
    "librt.so.",
    "libutil.so.",
    "ld64.so.",
];
/// Entries that make the loader load more, or from other folders.
const UNUSUAL: [(elf::DynamicTag, &str); 6] = [
    (elf::DT_RPATH, "DT_RPATH"),
    (elf::DT_RUNPATH, "DT_RUNPATH"),
    (elf::DT_AUDIT, "DT_AUDIT"),
    (elf::DT_DEPAUDIT, "DT_DEPAUDIT"),
    (elf::DT_AUXILIARY, "DT_AUXILIARY"),
    (elf::DT_FILTER, "DT_FILTER"),
];

/// The library that a submission was compiled to.
pub(crate) struct Library {
    /// Its file name without `lib` and extension: the crate's name and a hash of its inputs.
    stem: String,
    folder: PathBuf,
}

impl Library {
    /// By the path of its metadata, as cargo reports it.
    pub(crate) fn of(metadata: &Path) -> Option<Library> {
        let stem = metadata.file_stem()?.to_str()?.strip_prefix("lib")?;
        Some(Library { stem: stem.into(), folder: metadata.parent()?.into() })
    }

    /// An object in it that is not the compiler's.
    ///
    /// The compiler names its objects after the library, whose name contains a hash of the
    /// submission. An archive among the sources, which a library can include, would have to contain
    /// its own hash.
    pub(crate) fn foreign_object(&self) -> Result<Option<String>> {
        let bytes = read(&self.folder.join(format!("lib{}.rlib", self.stem)))?;
        let own = format!("{}.", self.stem);
        let archive = ArchiveFile::parse(&*bytes).context("failed to read a library")?;
        for member in archive.members() {
            let name = member.context("failed to read a library")?.name();
            if name != METADATA && !name.starts_with(own.as_bytes()) {
                return Ok(Some(String::from_utf8_lossy(name).into_owned()));
            }
        }
        Ok(None)
    }

    /// A file that it was compiled from and that is not in `sources`.
    ///
    /// The compiler lists every file that it has read, for cargo. Files from elsewhere were not
    /// checked, and may be missing on another machine.
    pub(crate) fn foreign_source(&self, root: &Path, sources: &Path) -> Result<Option<String>> {
        let text = read(&self.folder.join(format!("{}.d", self.stem)))?;
        let text = String::from_utf8_lossy(&text);
        // Each file has a line of its own, with nothing after the colon.
        let files = text.lines().filter_map(|line| line.strip_suffix(':'));
        let is_own = |file: &str| {
            let file = root.join(file.replace("\\ ", " "));
            file.canonicalize().is_ok_and(|file| file.starts_with(sources))
        };
        let foreign = files.filter(|line| !line.starts_with('#')).find(|file| !is_own(file));
        Ok(foreign.map(str::to_owned))
    }
}

/// The actions of the loader on a program, and the symbols that could replace the kit's, each with
/// its count. Empty if the program is no 64-bit ELF, because then nothing is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits(BTreeMap<String, usize>);

impl Traits {
    pub(crate) fn of(program: &Path) -> Result<Traits> {
        let bytes = read(program)?;
        if !matches!(object::FileKind::parse(&*bytes), Ok(object::FileKind::Elf64)) {
            return Ok(Traits::default());
        }
        Program::parse(&bytes)
            .and_then(|program| program.traits())
            .context("failed to read a program")
    }

    /// The traits of a program of the kit alone, and those that the compiler may add to any
    /// program: functions for what a processor cannot do, such as the division of a `u128`.
    pub(crate) fn of_kit(program: &Path) -> Result<Traits> {
        let mut traits = Traits::of(program)?;
        for name in compiler_builtins()? {
            traits.0.insert(provides(&name), usize::MAX);
        }
        Ok(traits)
    }

    /// A trait that an honest program of the same compiler and kit does not have. Only code that is
    /// not safe Rust can cause it. No list is assumed: the honest program contains everything that
    /// the compiler and the kit add, and safe Rust adds no symbol that C could name and nothing
    /// that runs before `main`. It may use more of the C library.
    pub(crate) fn beyond(&self, honest: &Traits) -> Option<&str> {
        let known = |what: &str| honest.0.get(what).copied().unwrap_or(0);
        let beyond = self.0.iter().find(|(what, count)| **count > known(what));
        beyond.map(|(what, _)| what.as_str())
    }
}

struct Program<'a> {
    bytes: &'a [u8],
    file: ElfFile64<'a, Endianness>,
    dynamic: &'a [Dyn64<Endianness>],
    /// The names of the functions at each address.
    functions: HashMap<u64, BTreeSet<&'a str>>,
}

impl<'a> Program<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Program<'a>> {
        let file = ElfFile64::parse(bytes)?;
        let endian = file.endian();
        let headers: &'a [ProgramHeader64<Endianness>] = file.elf_program_headers();
        let mut dynamic: &[Dyn64<Endianness>] = &[];
        for header in headers {
            dynamic = header.dynamic(endian, bytes)?.unwrap_or(dynamic);
        }
        let end = dynamic.iter().position(|entry| entry.d_tag.get(endian) == elf::DT_NULL);
        let dynamic = &dynamic[..end.unwrap_or(dynamic.len())];
        let mut functions = HashMap::<_, BTreeSet<_>>::new();
        for symbol in file.symbols().filter(ObjectSymbol::is_definition) {
            if symbol.kind() == SymbolKind::Text {
                functions.entry(symbol.address()).or_default().insert(symbol.name()?);
            }
        }
        Ok(Program { bytes, file, dynamic, functions })
    }

    fn traits(&self) -> Result<Traits> {
        let mut traits = Traits::default();
        let mut add = |what: String| *traits.0.entry(what).or_default() += 1;
        for symbol in self.file.symbols().filter(is_for_others) {
            let name = symbol.name()?;
            // Names with a dot are the compiler's. No function of C has such a name.
            let is_rusts = name.starts_with("_R") || name.starts_with("_ZN") || name.contains('.');
            if !is_rusts && matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data) {
                add(provides(name));
            }
        }
        for library in self.all(elf::DT_NEEDED) {
            let name = self.string(library)?;
            if !OF_THE_SYSTEM.iter().any(|known| name.starts_with(known)) || name.contains('/') {
                add(format!("needs the library `{name}`"));
            }
        }
        for (tag, name) in UNUSUAL {
            self.all(tag).for_each(|_| add(format!("has an entry {name} for the loader")));
        }
        let relocations = self.relocations()?;
        let lists = [
            (elf::DT_PREINIT_ARRAY, elf::DT_PREINIT_ARRAYSZ, "before `main`"),
            (elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ, "before `main`"),
            (elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ, "when it ends"),
        ];
        for (list, size, when) in lists {
            let (Some(start), Some(size)) = (self.one(list), self.one(size)) else { continue };
            for slot in (start..start + size).step_by(size_of::<u64>()) {
                add(format!("runs {} {when}", self.pointee(slot, &relocations)?));
            }
        }
        for (tag, when) in [(elf::DT_INIT, "before `main`"), (elf::DT_FINI, "when it ends")] {
            if let Some(address) = self.one(tag) {
                add(format!("runs {} {when}", self.function(address)));
            }
        }
        add(format!("starts at {}", self.function(self.file.entry())));
        self.add_resolvers(&mut add);
        self.add_sections(&mut add)?;
        Ok(traits)
    }

    /// Functions that the loader calls to choose others.
    fn add_resolvers(&self, add: &mut impl FnMut(String)) {
        use object::SymbolFlags::Elf;
        for symbol in self.file.symbols().chain(self.file.dynamic_symbols()) {
            if let Elf { st_info, .. } = symbol.flags()
                && st_info.st_type() == elf::STT_GNU_IFUNC
            {
                add(format!("runs `{}` before `main`", symbol.name().unwrap_or("?")));
            }
        }
    }

    /// Code fragments that form one function, which the C library calls at the start, and the lists
    /// of older systems.
    fn add_sections(&self, add: &mut impl FnMut(String)) -> Result<()> {
        use object::ObjectSection;
        for section in self.file.sections() {
            let name = section.name()?;
            let is_list = name.starts_with(".ctors") || name.starts_with(".dtors");
            if is_list || matches!(name, ".init" | ".fini") {
                add(format!("has {} bytes in `{name}`", section.size()));
            }
        }
        Ok(())
    }

    fn all(&self, tag: elf::DynamicTag) -> impl Iterator<Item = u64> {
        let endian = self.file.endian();
        let with_tag = self.dynamic.iter().filter(move |entry| entry.d_tag.get(endian) == tag);
        with_tag.map(move |entry| entry.d_val.get(endian))
    }

    fn one(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.all(tag).next()
    }

    /// The bytes that are loaded at an address.
    fn loaded(&self, address: u64, size: u64) -> Result<&'a [u8]> {
        let endian = self.file.endian();
        for header in self.file.elf_program_headers() {
            if header.p_type(endian) == elf::PT_LOAD
                && let Ok(Some(bytes)) = header.data_range(endian, self.bytes, address, size)
            {
                return Ok(bytes);
            }
        }
        anyhow::bail!("nothing is loaded at {address:#x}")
    }

    fn string(&self, at: u64) -> Result<String> {
        let (start, size) = (self.one(elf::DT_STRTAB), self.one(elf::DT_STRSZ));
        let start = start.context("it has no strings")?;
        let strings = self.loaded(start, size.unwrap_or(0))?;
        let rest = strings.get(usize::try_from(at)?..).context("a string is missing")?;
        let text = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// The values that the loader writes, by address.
    fn relocations(&self) -> Result<HashMap<u64, &'a Rela64<Endianness>>> {
        let endian = self.file.endian();
        let lists = [(elf::DT_RELA, elf::DT_RELASZ), (elf::DT_JMPREL, elf::DT_PLTRELSZ)];
        let mut relocations = HashMap::new();
        for (list, size) in lists {
            let (Some(start), Some(size)) = (self.one(list), self.one(size)) else { continue };
            let count = usize::try_from(size)? / size_of::<Rela64<Endianness>>();
            let (list, _) = object::slice_from_bytes(self.loaded(start, size)?, count)
                .map_err(|()| anyhow::anyhow!("its relocations cannot be read"))?;
            let list: &[Rela64<Endianness>] = list;
            relocations.extend(list.iter().map(|it| (it.r_offset.get(endian), it)));
        }
        Ok(relocations)
    }

    /// The function to which this slot points after loading.
    fn pointee(
        &self,
        slot: u64,
        relocations: &HashMap<u64, &Rela64<Endianness>>,
    ) -> Result<String> {
        let endian = self.file.endian();
        let Some(relocation) = relocations.get(&slot) else {
            // A program that is loaded at a fixed address has it in the file.
            let bytes = self.loaded(slot, size_of::<u64>() as u64)?;
            let mut value = [0; size_of::<u64>()];
            value.copy_from_slice(bytes);
            let little = endian == Endianness::Little;
            let value = if little { u64::from_le_bytes(value) } else { u64::from_be_bytes(value) };
            return Ok(self.function(value));
        };
        match relocation.r_sym(endian, false) {
            0 => Ok(self.function(relocation.r_addend.get(endian).cast_unsigned())),
            symbol => {
                let symbol = object::SymbolIndex(symbol as usize);
                let symbols = self.file.elf_dynamic_symbol_table();
                let name = symbols.symbol_name(endian, symbols.symbol(symbol)?)?;
                Ok(format!("`{}`", String::from_utf8_lossy(name)))
            }
        }
    }

    fn function(&self, address: u64) -> String {
        let names = self.functions.get(&address);
        let names = names.map(|names| names.iter().copied().collect::<Vec<_>>().join(" = "));
        format!("`{}`", names.unwrap_or_else(|| "a function without a name".into()))
    }
}

fn provides(name: &str) -> String {
    format!("provides the symbol `{name}`")
}

/// Whether other objects of a program can use a symbol. The linker may have made a hidden one
/// local.
fn is_for_others<'a>(symbol: &impl ObjectSymbol<'a>) -> bool {
    use object::SymbolFlags::Elf;
    let is_hidden = matches!(
        symbol.flags(),
        Elf { st_other, .. } if st_other.visibility() != elf::STV_DEFAULT
    );
    symbol.is_definition() && (symbol.is_global() || is_hidden)
}

/// The functions of the compiler's own library, without its functions of C for systems that have
/// no C library.
fn compiler_builtins() -> Result<BTreeSet<String>> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir"]).output();
    let output = output.context("failed to run rustc, which the grader needs")?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut names = BTreeSet::new();
    for entry in Path::new(&folder).read_dir().context("failed to find the compiler's library")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("libcompiler_builtins-") || !name.ends_with(".rlib") {
            continue;
        }
        let bytes = read(&Path::new(&folder).join(name))?;
        for member in ArchiveFile::parse(&*bytes)?.members() {
            // The other members are metadata.
            let Ok(object) = object::File::parse(member?.data(&*bytes)?) else { continue };
            let symbols = object.symbols().filter(is_for_others);
            let known = symbols.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
            names.extend(known.filter(|name| name.starts_with("__")));
        }
    }
    Ok(names)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("failed to read {}", file.display()))
}
