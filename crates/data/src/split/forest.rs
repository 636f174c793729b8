//! Which things belong together: union-find, on numbers.

/// A forest of things, each tree of which belongs together.
#[derive(Debug, Default)]
pub(super) struct Forest {
    parents: Vec<u32>,
}

impl Forest {
    /// Adds a thing that belongs with none.
    pub(super) fn add(&mut self) -> u32 {
        let new = u32::try_from(self.parents.len()).expect("fewer than 4 thousand million keys");
        self.parents.push(new);
        new
    }

    /// The thing that stands for all that belong with `thing`.
    pub(super) fn root(&mut self, mut thing: u32) -> u32 {
        while self.parents[thing as usize] != thing {
            // Halves the way on every walk.
            let above = self.parents[self.parents[thing as usize] as usize];
            self.parents[thing as usize] = above;
            thing = above;
        }
        thing
    }

    /// Joins what `a` and `b` belong with. The older root stays: with path halving that is as good as by rank.
    pub(super) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_belongs_together() {
        let mut forest = Forest::default();
        let things: Vec<u32> = (0..6).map(|_| forest.add()).collect();
        forest.join(things[0], things[3]);
        forest.join(things[4], things[5]);
        forest.join(things[3], things[5]);
        let roots: Vec<u32> = things.iter().map(|thing| forest.root(*thing)).collect();
        assert_eq!(roots, [0, 1, 2, 0, 0, 0]);
    }
}
