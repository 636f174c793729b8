# Expected numbers for the tests of `reliability`: alpha from R's psych, weighted moments from base R, jackknives from survey.
#
#     Rscript reliability.R > reliability.json      # needs r-cran-psych, r-cran-survey
#
# `attitude` comes with R. Missing answers are null; groups are those that the jackknife leaves out, one at a time.
suppressPackageStartupMessages({
  library(survey)
  library(psych)
})
set.seed(20261126)

json <- function(x) {
  if (is.list(x) && !is.null(names(x))) {
    return(paste0("{", paste0('"', names(x), '": ', sapply(x, json), collapse = ", "), "}"))
  }
  if (is.list(x)) return(paste0("[", paste(sapply(x, json), collapse = ",\n"), "]"))
  one <- if (is.character(x)) sprintf('"%s"', x) else sprintf("%.15g", x)
  one[is.na(x)] <- "null"
  if (length(x) == 1 && !inherits(x, "AsIs")) one else paste0("[", paste(one, collapse = ", "), "]")
}
rows <- function(x) lapply(seq_len(nrow(x)), function(i) I(unname(unlist(x[i, ]))))
silent <- function(x) {
  capture.output(y <- suppressMessages(suppressWarnings(x)))
  y
}

# A statistic of people and weights with its jackknife about the whole (survey's JK1) and the interval on the scale of log(1 - value).
jackknifed <- function(theta, people, weights, groups, level) {
  design <- svydesign(ids = ~group, weights = ~weight, data = data.frame(group = groups, weight = weights))
  replicates <- as.svrepdesign(design, type = "JK1", mse = TRUE)
  found <- withReplicates(replicates, function(w, data) theta(people, w))
  value <- theta(people, weights)
  se <- as.numeric(SE(found))
  half <- qt(.5 + level / 2, length(unique(groups)) - 1) * se / (1 - value)
  list(value = value, std_error = se, level = level, low = 1 - (1 - value) * exp(half), high = 1 - (1 - value) * exp(-half))
}
random_groups <- function(n, g) sample(rep(seq_len(g) - 1, length.out = n))

## Alpha.

# Mean variance and mean covariance over the pairs of items that two people with a weight share.
alpha_of <- function(k) function(x, w) {
  p <- ncol(x)
  moment <- function(i, j) {
    both <- w > 0 & !is.na(x[, i]) & !is.na(x[, j])
    if (sum(both) < 2) return(NA)
    cov.wt(cbind(x[both, i], x[both, j]), w[both] / sum(w[both]))$cov[1, 2]
  }
  covariances <- outer(seq_len(p), seq_len(p), Vectorize(moment))
  variances <- diag(covariances)
  diag(covariances) <- NA
  in_a_pair <- rowSums(!is.na(covariances)) > 0
  v <- mean(variances[in_a_pair])
  c <- mean(covariances[upper.tri(covariances)], na.rm = TRUE)
  k * c / (v + (k - 1) * c)
}
# Each person answers some of the items, whose means differ.
scale_of <- function(n, items, asked, loading = .7) {
  x <- loading * rnorm(n) + matrix(rnorm(n * items), n) + rep(seq_len(items) / 4, each = n)
  x <- matrix(round(x, 2), n)
  if (asked < items) for (i in seq_len(n)) x[i, sample(items, items - asked)] <- NA
  x
}
alpha_case <- function(name, x, weights, groups, k, level = .95, package = NA) {
  x <- as.matrix(x)
  pairs <- crossprod(!is.na(x[weights > 0, ]))
  mean_k <- sum(weights * rowSums(!is.na(x))) / sum(weights)
  length <- if (is.na(k)) mean_k else k
  c(list(name = name, answers = rows(x), weights = I(weights), groups = I(groups), per_person = k, length = length, package = package,
         n_pairs = sum(pairs[upper.tri(pairs)] >= 2)),
    jackknifed(alpha_of(length), x, weights, groups, level))
}
raw_alpha <- function(x) silent(alpha(as.data.frame(x), check.keys = FALSE))$total$raw_alpha

complete <- scale_of(40, 6, 6)
planned <- scale_of(120, 12, 5)
sparse <- scale_of(30, 10, 3, 1.5)
weights <- round(runif(120, .2, 4), 3)
alphas <- list(
  alpha_case("attitude", attitude, rep(1, 30), 0:29, 7, package = raw_alpha(attitude)),
  alpha_case("complete", complete, rep(1, 40), random_groups(40, 8), 6, .9, raw_alpha(complete)),
  alpha_case("planned missingness, all items", planned, rep(1, 120), random_groups(120, 20), 12, package = raw_alpha(planned)),
  alpha_case("planned missingness, as many as answered", planned, rep(1, 120), random_groups(120, 20), NA),
  alpha_case("weighted", planned, weights, random_groups(120, 20), NA, .99),
  alpha_case("pairs that nobody shares", sparse, rep(1, 30), random_groups(30, 6), NA)
)

## Split halves.

stepped_up <- function(x, w) {
  r <- sapply(x, function(half) cov.wt(half, w / sum(w), cor = TRUE)$cor[1, 2])
  2 * mean(r) / (1 + mean(r))
}
halves_case <- function(n, n_splits, weights, groups, level) {
  truth <- rnorm(n)
  halves <- lapply(seq_len(n_splits), function(i) matrix(round(truth + rnorm(2 * n), 3), n))
  r <- sapply(halves, function(half) cov.wt(half, weights / sum(weights), cor = TRUE)$cor[1, 2])
  c(list(halves = lapply(halves, rows), weights = I(weights), groups = I(groups), correlation = mean(r)),
    jackknifed(stepped_up, halves, weights, groups, level))
}
halves <- list(
  halves_case(25, 1, rep(1, 25), 0:24, .95),
  halves_case(40, 3, round(runif(40, .2, 4), 3), random_groups(40, 10), .9)
)

# The mean correlation over many random splits, and how much one split's is off it.
random_splits <- function(x, weights, n_splits) {
  r <- replicate(n_splits, {
    half <- t(apply(x, 1, function(row) {
      answered <- sample(row[!is.na(row)])
      m <- length(answered)
      first <- if (runif(1) < .5) floor(m / 2) else ceiling(m / 2)
      c(mean(answered[seq_len(first)]), mean(answered[-seq_len(first)]))
    }))
    cov.wt(half, weights / sum(weights), cor = TRUE)$cor[1, 2]
  })
  list(answers = rows(x), weights = I(weights), correlation = mean(r), deviation = sd(r), n_splits = n_splits)
}
splits <- list(
  random_splits(scale_of(60, 10, 10), rep(1, 60), 4000),
  random_splits(planned, weights, 4000)
)

versions <- list(R = as.character(getRversion()), psych = as.character(packageVersion("psych")), survey = as.character(packageVersion("survey")))
cat(json(list(versions = versions, alpha = alphas, halves = halves, splits = splits)), "\n", sep = "")
