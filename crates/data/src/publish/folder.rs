//! A folder that is there whole or not at all: built beside its place under another name, and renamed when it is done.

use super::report::PublishError;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// What a published dataset has in any case: other folders are never replaced.
const MARK: &str = "croissant.json";

/// A folder in the making.
pub(super) struct Building {
    target: PathBuf,
    /// Where it is built.
    path: PathBuf,
    lock_path: PathBuf,
    lock: Option<File>,
    is_done: bool,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> PublishError + '_ {
    |source| PublishError::Write { path: path.to_owned(), source }
}

/// Whether `target` may be written to.
fn check(target: &Path, force: bool) -> Result<(), PublishError> {
    let Ok(there) = fs::symlink_metadata(target) else { return Ok(()) };
    let is_empty = there.is_dir() && fs::read_dir(target).is_ok_and(|mut d| d.next().is_none());
    if is_empty {
        return Ok(());
    }
    if !force {
        return Err(PublishError::Exists(target.to_owned()));
    }
    if !there.is_dir() || !target.join(MARK).is_file() {
        return Err(PublishError::NotOurs(target.to_owned()));
    }
    Ok(())
}

impl Building {
    /// Begins to build `target`. What a killed run left is cleared away.
    ///
    /// # Errors
    /// When it is there already, another run is at it, or the folder cannot be made.
    pub(super) fn begin(target: &Path, force: bool) -> Result<Self, PublishError> {
        // `folder/` and `folder/.` mean the folder itself.
        let target: PathBuf = target.components().collect();
        check(&target, force)?;
        let Some(name) = target.file_name().and_then(|name| name.to_str()) else {
            return Err(PublishError::Exists(target));
        };
        let parent = target.parent().filter(|p| !p.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let path = parent.join(format!(".{name}.publishing"));
        let lock_path = parent.join(format!(".{name}.publishing.lock"));
        let lock = File::create(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PublishError::Busy(target)),
            Err(TryLockError::Error(error)) => return Err(failed(&lock_path)(error)),
        }
        if path.exists() {
            fs::remove_dir_all(&path).map_err(failed(&path))?;
        }
        fs::create_dir_all(path.join("data")).map_err(failed(&path))?;
        Ok(Self { target, path, lock_path, lock: Some(lock), is_done: false })
    }

    /// Where it is built.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of the folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), PublishError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
        File::open(&path).and_then(|file| file.sync_all()).map_err(failed(&path))
    }

    /// Puts the folder in its place.
    ///
    /// # Errors
    /// When something has come there meanwhile that may not be replaced, or the folder cannot be renamed.
    pub(super) fn finish(mut self, force: bool) -> Result<PathBuf, PublishError> {
        let target = self.target.clone();
        check(&target, force)?;
        let mut old = self.path.clone().into_os_string();
        old.push(".old");
        let old = PathBuf::from(old);
        if target.exists() {
            if old.exists() {
                fs::remove_dir_all(&old).map_err(failed(&old))?;
            }
            fs::rename(&target, &old).map_err(failed(&target))?;
        }
        if let Err(error) = fs::rename(&self.path, &target) {
            // What was there goes back to its place.
            let _ = fs::rename(&old, &target);
            return Err(failed(&target)(error));
        }
        self.is_done = true;
        if old.exists() {
            fs::remove_dir_all(&old).map_err(failed(&old))?;
        }
        Ok(target)
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        if !self.is_done {
            let _ = fs::remove_dir_all(&self.path);
        }
        // The lock's file goes before the lock: whoever opens a new one has it alone.
        let _ = fs::remove_file(&self.lock_path);
        self.lock.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("out");
        // What a killed run left.
        fs::create_dir_all(parent.path().join(".out.publishing/data/junk")).unwrap();
        let building = Building::begin(&target, false).unwrap();
        building.write("README.md", "half").unwrap();
        assert!(!target.exists());
        assert!(matches!(Building::begin(&target, false), Err(PublishError::Busy(_))));
        drop(building);
        assert_eq!(names(parent.path()), [""; 0]);

        let building = Building::begin(&target, false).unwrap();
        building.write(MARK, "{}").unwrap();
        building.finish(false).unwrap();
        assert_eq!(names(parent.path()), ["out"]);
        assert_eq!(names(&target), [MARK, "data"]);
    }

    #[test]
    fn what_is_there_is_replaced_only_when_it_is_ours_and_asked_for() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("out");
        fs::create_dir(&target).unwrap();
        Building::begin(&target, false).unwrap();
        fs::write(target.join("thesis.tex"), "years of work").unwrap();
        assert!(matches!(Building::begin(&target, false), Err(PublishError::Exists(_))));
        assert!(matches!(Building::begin(&target, true), Err(PublishError::NotOurs(_))));
        fs::write(target.join(MARK), "{}").unwrap();
        Building::begin(&target, true).unwrap().finish(true).unwrap();
        assert_eq!(names(&target), ["data"]);
        assert_eq!(names(parent.path()), ["out"]);
    }
}
