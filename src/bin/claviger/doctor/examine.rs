//! What the operating system says about our files: owners, modes, file systems, who has them
//! open, and where the module is installed. It only looks and changes nothing.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// File systems on which the locks of a database cannot be trusted.
const SHARED: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "afs",
    "lustre",
    "glusterfs",
    "ocfs2",
    "gfs2",
    "virtiofs",
];

/// File systems that forget everything at the next start.
const FLEETING: &[&str] = &["tmpfs", "ramfs"];

/// Where p11-kit looks for the modules that it loads.
const P11_KIT: &[&str] = &["/etc/pkcs11/modules", "/usr/share/p11-kit/modules"];

/// How a file system keeps what is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keeping {
    Local,
    Shared,
    Fleeting,
}

/// The kind of file system that a path lies on, and how it keeps what is written.
pub(crate) fn file_system(path: &Path) -> Option<(String, Keeping)> {
    let path = fs::canonicalize(path).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let kind = kind_of_mount(&mounts, &path)?;
    let keeping = match kind.as_str() {
        kind if SHARED.contains(&kind) || kind == "fuse" || kind.starts_with("fuse.") => {
            Keeping::Shared
        }
        kind if FLEETING.contains(&kind) => Keeping::Fleeting,
        _ => Keeping::Local,
    };
    Some((kind, keeping))
}

/// proc(5): mount point in field 5, the type after the field "-"; the last of the longest
/// mount points that hold the path is the one on top.
fn kind_of_mount(mounts: &str, path: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let point = PathBuf::from(unescape(before.split(' ').nth(4)?));
        let kind = after.split(' ').next()?.to_owned();
        path.starts_with(&point).then(|| (point.as_os_str().len(), kind))
    };
    mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

fn unescape(field: &str) -> String {
    let pairs = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    pairs.iter().fold(field.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The user that this process acts as.
pub(crate) fn effective_user() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|found| found.uid())
}

/// The permission bits of a file.
pub(crate) fn mode(found: &Metadata) -> u32 {
    found.mode() & 0o7777
}

/// Processes that have a file open, as far as we may see.
pub(crate) fn holders(path: &Path) -> Vec<u32> {
    let Ok(path) = fs::canonicalize(path) else { return Vec::new() };
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let mut open = fs::read_dir(entry.path().join("fd")).ok()?.flatten();
            open.any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to == path)).then_some(id)
        })
        .collect()
}

/// True if some process has a lock on a file.
pub(crate) fn is_locked(found: &Metadata) -> bool {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().any(|line| inode_of_lock(line) == Some(found.ino()))
}

/// proc(5): the field behind the process has device and inode. Some file systems tell another
/// device than stat does, so that the inode alone has to do.
fn inode_of_lock(line: &str) -> Option<u64> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let kind = fields.iter().position(|field| matches!(*field, "READ" | "WRITE"))?;
    fields.get(kind + 2)?.rsplit(':').next()?.parse().ok()
}

/// The copies of the module on this machine, in the usual places and beside this program.
pub(crate) fn installed_modules() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = Vec::new();
    let here = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    if let Some(here) = here {
        places.push(here.clone());
        places.extend(here.parent().map(|prefix| prefix.join("lib")));
    }
    places.extend(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from));
    if let Ok(folders) = fs::read_dir("/usr/lib") {
        let multiarch = |path: &PathBuf| path.to_string_lossy().ends_with("-linux-gnu");
        places.extend(folders.flatten().map(|entry| entry.path()).filter(multiarch));
    }
    let mut found: Vec<PathBuf> = places
        .iter()
        .flat_map(|place| [place.join("libclaviger.so"), place.join("pkcs11/libclaviger.so")])
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    found.sort();
    found.dedup();
    found
}

/// A process that has a module of ours loaded.
pub(crate) struct Loaded {
    pub(crate) process: u32,
    pub(crate) program: String,
    pub(crate) module: PathBuf,
    /// The file was replaced or removed since.
    pub(crate) is_old: bool,
}

/// The processes with a module of ours, as far as we may see.
pub(crate) fn loaded_modules() -> Vec<Loaded> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<Loaded> = processes
        .flatten()
        .filter_map(|entry| {
            let process: u32 = entry.file_name().to_str()?.parse().ok()?;
            let maps = fs::read_to_string(entry.path().join("maps")).ok()?;
            let (module, is_old) = module_in(&maps)?;
            let program = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            Some(Loaded { process, program: program.trim().to_owned(), module, is_old })
        })
        .collect();
    found.sort_by_key(|loaded| loaded.process);
    found
}

/// proc(5): the path is the sixth field, to the end of the line.
fn module_in(maps: &str) -> Option<(PathBuf, bool)> {
    maps.lines().find_map(|line| {
        let path = line.get(line.find('/')?..)?;
        let (path, is_old) = match path.strip_suffix(" (deleted)") {
            Some(path) => (path, true),
            None => (path, false),
        };
        let path = PathBuf::from(path);
        let name = path.file_name()?.to_str()?;
        name.starts_with("libclaviger.so").then_some((path, is_old))
    })
}

/// The p11-kit files that name our module, each with the module that it names.
pub(crate) fn p11_kit_entries() -> Vec<(PathBuf, PathBuf)> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let own = home.into_iter().map(|home| home.join(".config/pkcs11/modules"));
    P11_KIT
        .iter()
        .map(PathBuf::from)
        .chain(own)
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "module"))
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let module = text.lines().find_map(|line| line.trim().strip_prefix("module:"))?;
            module.contains("claviger").then(|| (path, PathBuf::from(module.trim())))
        })
        .collect()
}

/// The limit of locked memory in bytes; none if there is no limit.
pub(crate) fn locked_memory_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loaded_module_is_found_also_when_its_file_is_gone() {
        let line = "7f0-7f1 r-xp 0000 08:01 42      /opt/my lib/libclaviger.so.1";
        let path = PathBuf::from("/opt/my lib/libclaviger.so.1");
        let other = "7f0-7f1 r-xp 0000 08:01 42 /usr/lib/libclaviger-data.txt\n7f rw-p [heap]\n";
        assert_eq!(module_in(other), None);
        assert_eq!(module_in(&format!("{other}{line}\n")), Some((path.clone(), false)));
        assert_eq!(module_in(&format!("{line} (deleted)")), Some((path, true)));
    }

    #[test]
    fn locks_tell_their_inode() {
        let line = "12: POSIX  ADVISORY  WRITE 4711 08:01:10036338 0 0";
        assert_eq!(inode_of_lock(line), Some(10_036_338));
        let waiting = "12: -> OFDLCK ADVISORY  READ  -1 00:2f:7 1 EOF";
        assert_eq!(inode_of_lock(waiting), Some(7));
        assert_eq!(inode_of_lock("12: POSIX"), None);
    }

    #[test]
    fn the_longest_and_latest_mount_counts() {
        let mounts = "1 0 8:1 / / rw - ext4 /dev/sda rw\n\
                      2 1 0:5 / /srv rw shared:1 - nfs4 host:/ rw\n\
                      3 1 0:6 / /srv/my\\040keys rw - tmpfs tmpfs rw\n\
                      4 1 0:7 / /srv/my\\040keys rw - fuse.sshfs x rw\n";
        for (path, kind) in [
            ("/etc", "ext4"),
            ("/srv/a", "nfs4"),
            ("/srvx", "ext4"),
            ("/srv/my keys/token", "fuse.sshfs"),
        ] {
            assert_eq!(kind_of_mount(mounts, Path::new(path)).as_deref(), Some(kind), "{path}");
        }
    }
}
