# Expected numbers for the tests of weights and designs, from R's survey package.
#
#     Rscript design.R > design.json      # needs r-cran-survey
#
# Tables of our own are written out; `api` is the schools of California that come with the package, of which the test reads
# a copy where there is one. `apiclus1` is all schools of `apipop` in 15 districts.
suppressPackageStartupMessages(library(survey))
set.seed(20261125)

json <- function(x) {
  if (is.null(x)) return("null")
  if (is.list(x) && !is.null(names(x))) {
    return(paste0("{", paste0('"', names(x), '": ', sapply(x, json), collapse = ", "), "}"))
  }
  if (is.list(x)) return(paste0("[", paste(sapply(x, json), collapse = ",\n"), "]"))
  one <- if (is.character(x)) sprintf('"%s"', x) else if (is.logical(x)) tolower(x) else sprintf("%.15g", x)
  one[is.na(x)] <- "null"
  if (length(x) == 1 && !inherits(x, "AsIs")) one else paste0("[", paste(one, collapse = ", "), "]")
}
# A number more digits of which the test could not tell apart.
scalar <- function(x) as.numeric(x)[1]

## Tables of our own.

# Four strata of three to six sampling units of two to nine people each.
people <- do.call(rbind, lapply(1:4, function(stratum) {
  do.call(rbind, lapply(seq_len(sample(3:6, 1)), function(psu) {
    n <- sample(2:9, 1)
    data.frame(stratum, psu = 10 * stratum + psu, restart = psu, population = 11 * stratum,
               weight = round(runif(n, .2, 4), 3), x = round(rnorm(n, 50 + 5 * stratum + rnorm(1, 0, 4), 10), 2),
               y = round(rexp(n, .1), 2), yes = rbinom(n, 1, rbeta(1, 2, 3)), group = sample(0:2, n, TRUE),
               gender = sample(0:1, n, TRUE, c(.6, .4)), age = sample(0:3, n, TRUE, c(.4, .3, .2, .1)))
  }))
}))
n <- nrow(people)
people$gap <- ifelse(runif(n) < .15, NA, people$x)
people$education <- ifelse(runif(n) < .1, NA, sample(0:2, n, TRUE, c(.5, .3, .2)))
people$cell <- 4 * people$gender + people$age
# The same with only one unit left of stratum 2.
lonely <- subset(people, stratum != 2 | restart == 1)
# A group that one unit of a stratum has, and no other.
people$rare <- as.numeric(people$psu %in% c(11, 12, 13, 41))
# Units of two strata, within them units of two kinds, people within these; all counted.
schools <- do.call(rbind, lapply(1:2, function(stratum) {
  do.call(rbind, lapply(seq_len(3 + stratum), function(psu) {
    do.call(rbind, lapply(1:2, function(kind) {
      do.call(rbind, lapply(seq_len(sample(2:3, 1)), function(class) {
        n <- sample(2:4, 1)
        data.frame(stratum, psu = 10 * stratum + psu, n_psu = 8 * stratum, kind, class = 10 * kind + class, n_class = 4 + kind,
                   n_pupil = 9, x = round(rnorm(n, 10 * kind, 3), 2), yes = rbinom(n, 1, .4))
      }))
    }))
  }))
}))
schools$pupil <- seq_len(nrow(schools))

## Designs.

estimate <- function(design, kind, y, x = NULL, is = NULL, domain = NULL, level = .95) {
  part <- design
  if (!is.null(domain)) part <- subset(part, part$variables[[domain[[1]]]] %in% domain[[2]])
  part <- eval(bquote(subset(part, !is.na(.(as.name(y))))))
  deff <- if (is.null(part$fpc$popsize)) "replace" else TRUE
  df <- degf(part)
  part$variables$value <- part$variables[[y]]
  if (!is.null(is)) part$variables$value <- as.numeric(part$variables$value == is)
  if (kind == "ratio") {
    part$variables$over <- part$variables[[x]]
    stat <- svyratio(~value, ~over, part, deff = deff)
    design_effect <- attr(stat, "deff")
  } else {
    stat <- (if (kind == "total") svytotal else svymean)(~value, part, deff = deff)
    design_effect <- deff(stat)
  }
  ends <- if (kind == "share") attr(svyciprop(~value, part, method = "xlogit", level = level, df = df), "ci")
          else confint(stat, level = level, df = df)
  list(kind = kind, y = y, x = x, is = is, domain = domain, level = level, value = scalar(coef(stat)), std_error = scalar(SE(stat)),
       low = ends[1], high = ends[2], df = df, design_effect = scalar(design_effect), n = sum(weights(part) != 0))
}
ours <- function(design) list(
  estimate(design, "mean", "x"), estimate(design, "mean", "gap", level = .9), estimate(design, "total", "y"),
  estimate(design, "share", "yes"), estimate(design, "share", "group", is = 2, level = .99), estimate(design, "ratio", "y", "x"),
  estimate(design, "mean", "x", domain = list("group", 1)), estimate(design, "total", "y", domain = list("group", 0)),
  estimate(design, "share", "yes", domain = list("group", 2)), estimate(design, "ratio", "x", "y", domain = list("gender", 1)))
stage <- function(strata = NULL, units = NULL, population = NULL, nest = FALSE) {
  list(strata = strata, units = units, population = population, nest = nest)
}
case <- function(name, table, stages, weights, lonely, estimates) {
  list(name = name, table = table, stages = stages, weights = weights, lonely = lonely, estimates = estimates)
}
options(survey.lonely.psu = "fail")
designs <- list(
  case("independent", "people", list(stage()), "weight", "fail", ours(svydesign(~1, weights = ~weight, data = people))),
  case("strata", "people", list(stage("stratum")), "weight", "fail",
       ours(svydesign(~1, strata = ~stratum, weights = ~weight, data = people))),
  case("clusters", "people", list(stage(units = "psu")), "weight", "fail", ours(svydesign(~psu, weights = ~weight, data = people))),
  case("clusters in strata", "people", list(stage("stratum", "psu")), "weight", "fail", {
    design <- svydesign(~psu, strata = ~stratum, weights = ~weight, data = people)
    c(ours(design), list(estimate(design, "mean", "x", domain = list("rare", 1)), estimate(design, "share", "yes", domain = list("rare", 1))))
  }),
  case("clusters numbered in strata", "people", list(stage("stratum", "restart", nest = TRUE)), "weight", "fail",
       ours(svydesign(~restart, strata = ~stratum, weights = ~weight, data = people, nest = TRUE))),
  case("clusters of finite strata", "people", list(stage("stratum", "psu", "population")), "weight", "fail",
       ours(svydesign(~psu, strata = ~stratum, fpc = ~population, weights = ~weight, data = people))),
  case("three stages", "schools",
       list(stage("stratum", "psu", "n_psu"), stage("kind", "class", "n_class"), stage(NULL, NULL, "n_pupil")), NULL, "fail", {
    schools$one <- 1
    design <- svydesign(~psu + class + pupil, strata = ~stratum + kind + one, fpc = ~n_psu + n_class + n_pupil, data = schools)
    list(estimate(design, "mean", "x"), estimate(design, "total", "x"), estimate(design, "share", "yes"),
         estimate(design, "mean", "x", domain = list("kind", 2)), estimate(design, "ratio", "x", "yes"))
  }))
options(survey.lonely.psu = "adjust")
designs <- c(designs, list(
  case("a lonely unit", "lonely", list(stage("stratum", "psu")), "weight", "adjust",
       ours(svydesign(~psu, strata = ~stratum, weights = ~weight, data = lonely))),
  case("a lonely unit of a finite stratum", "lonely", list(stage("stratum", "psu", "population")), "weight", "adjust",
       ours(svydesign(~psu, strata = ~stratum, fpc = ~population, weights = ~weight, data = lonely)))))
options(survey.lonely.psu = "fail")

## Weights.

exact <- list(maxit = 1000, epsilon = 1e-15)
marginal <- function(name, shares, total) {
  setNames(data.frame(seq_along(shares) - 1, shares / sum(shares) * total), c(name, "Freq"))
}
margin <- function(column, targets, kind) list(column = column, targets = targets, kind = kind)
gender <- c(.52, .48); age <- c(22, 27, 31, 20); education <- c(.35, .4, .25)
base <- svydesign(~1, weights = ~weight, data = people)
total <- sum(people$weight)
raked <- rake(base, list(~gender, ~age), list(marginal("gender", gender, total), marginal("age", age, total)), control = exact)
totals <- rake(base, list(~gender, ~age), list(marginal("gender", gender, 5000), marginal("age", age, 5000)), control = exact)
# Who has no education is a category of its own that keeps its share.
people$filled <- ifelse(is.na(people$education), 3, people$education)
kept <- sum(people$weight[people$filled == 3]) / total
filled <- rake(svydesign(~1, weights = ~weight, data = people), list(~gender, ~age, ~filled),
               list(marginal("gender", gender, total), marginal("age", age, total),
                    marginal("filled", c(education * (1 - kept), kept), total)), control = exact)
cells <- as.vector(outer(age, gender)); cells <- cells / sum(cells)
post <- postStratify(base, ~cell, marginal("cell", cells, 1000))
people$filled <- NULL
by_margin <- list(margin("gender", gender, "shares"), margin("age", age, "shares"))
w <- weights(raked)
lower <- .3 * mean(w); upper <- 2 * median(w)
both <- trimWeights(raked, lower = lower, upper = upper, strict = TRUE)
capped <- trimWeights(raked, upper = 3, strict = TRUE)
# Small ones: more given than taken, weights on a bound from the start, nearly all on a bound.
# (Where nobody is inside at first, R loses the sum; the test has its own case of that.)
small <- function(w, lower = -Inf, upper = Inf) {
  trimmed <- trimWeights(svydesign(~1, weights = ~w, data = data.frame(w)), lower = lower, upper = upper, strict = TRUE)
  list(base = w, lower = if (is.finite(lower)) lower, upper = if (is.finite(upper)) upper, weights = weights(trimmed))
}
smalls <- list(small(c(.1, .2, .3, 2, 3, 4), lower = .75), small(c(1, 2, 2, 3, 4, 4, 9, .25), lower = 1, upper = 4),
               small(c(.01, 18, 17, 13, .01, .01), lower = 7.5, upper = 14), small(c(1, 1, 1, 1, 20), upper = 5),
               small(c(.25, .5, 1, 8, 16, 3), lower = .5, upper = 6))
# The oldest must weigh 2.4 times the mean, on average: a tight bound.
bound <- 2.7 * mean(w)
bounded <- raked; rounds <- 0
while (max(weights(bounded)) > bound * (1 + 1e-12) && rounds < 1000) {
  bounded <- trimWeights(bounded, upper = bound, strict = FALSE)
  while (max(weights(bounded)) > bound * (1 + 1e-14)) bounded <- trimWeights(bounded, upper = bound, strict = FALSE)
  bounded <- rake(bounded, list(~gender, ~age), list(marginal("gender", gender, total), marginal("age", age, total)), control = exact)
  rounds <- rounds + 1
}
stopifnot(rounds > 1, rounds < 1000)
shares <- function(weights, column) as.vector(tapply(weights, people[[column]], sum) / sum(weights))
standardised <- function(p, t) (p - t) / sqrt(t * (1 - t))
t <- age / sum(age)
weighting <- list(
  rake = list(
    list(margins = by_margin, weights = w),
    list(margins = list(margin("gender", gender / sum(gender) * 5000, "totals"), margin("age", age / sum(age) * 5000, "totals")),
         weights = weights(totals)),
    list(margins = c(by_margin, list(margin("education", education, "shares"))), weights = weights(filled))),
  poststratify = list(margin = margin("cell", cells * 1000, "totals"), weights = weights(post)),
  trim = list(list(lower = lower, upper = upper, times_mean = .3, times_median = 2, weights = weights(both)),
              list(lower = NULL, upper = 3, weights = weights(capped))),
  trim_small = smalls,
  trim_and_rake = list(upper = bound, times_mean = 2.7, rounds = rounds, weights = weights(bounded)),
  effective_sample_size = sum(w)^2 / sum(w^2), kish = 1 + mean((w - mean(w))^2) / mean(w)^2,
  balance = list(column = "age", before = shares(people$weight, "age"), after = shares(w, "age"), target = t,
                 difference_before = standardised(shares(people$weight, "age"), t),
                 difference_after = standardised(shares(w, "age"), t)))

## Schools of California.

data(api)
stratified <- svydesign(~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = apistrat)
two_stages <- svydesign(~dnum + snum, fpc = ~fpc1 + fpc2, data = apiclus2)
districts <- sort(unique(apiclus1$dnum))
in_districts <- subset(apipop, dnum %in% districts)
stopifnot(setequal(in_districts$cds, apiclus1$cds))
clusters <- svydesign(~dnum, weights = ~pw, data = apiclus1, fpc = ~fpc)
pop_types <- xtabs(~stype, apipop); pop_wide <- xtabs(~sch.wide, apipop)
api_raked <- rake(clusters, list(~stype, ~sch.wide), list(pop_types, pop_wide), control = exact)
api_post <- postStratify(clusters, ~stype, pop_types)
# The weights as given, without what the margins add to precision.
as_given <- function(design) {
  apiclus1$given <- weights(design)
  design <- svydesign(~dnum, weights = ~given, data = apiclus1, fpc = ~fpc)
  list(estimate(design, "mean", "api00"), estimate(design, "total", "enroll"), estimate(design, "share", "stype", is = "H"))
}
by_cds <- function(weights) weights[order(as.numeric(apiclus1$cds))]
api <- list(
  cases = list(
    case("stratified", "api_strat", list(stage("stype", NULL, "fpc")), NULL, "fail", {
      # The population counts give the weights without their rounding.
      exact_weights <- svydesign(~1, strata = ~stype, fpc = ~fpc, data = apistrat)
      list(estimate(exact_weights, "mean", "api00"), estimate(exact_weights, "mean", "enroll"), estimate(exact_weights, "total", "enroll"),
           estimate(exact_weights, "share", "sch.wide", is = "Yes"), estimate(exact_weights, "ratio", "api.stu", "enroll"),
           estimate(exact_weights, "mean", "api00", domain = list("stype", "E")), estimate(exact_weights, "mean", "api00", domain = list("stype", "H")),
           estimate(exact_weights, "mean", "api00", domain = list("stype", "M")), estimate(exact_weights, "mean", "acs.46"),
           estimate(exact_weights, "mean", "enroll", domain = list("comp.imp", "Yes")))
    }),
    case("stratified, weights of the file", "api_strat", list(stage("stype", NULL, "fpc")), "pw", "fail",
         list(estimate(stratified, "mean", "api00"), estimate(stratified, "share", "awards", is = "Yes"))),
    case("two stages", "api_clus2", list(stage(NULL, "dnum", "fpc1"), stage(NULL, "snum", "fpc2")), NULL, "fail",
         list(estimate(two_stages, "mean", "api00"), estimate(two_stages, "mean", "enroll"), estimate(two_stages, "total", "enroll"),
              estimate(two_stages, "share", "stype", is = "E"), estimate(two_stages, "ratio", "api00", "api99"),
              estimate(two_stages, "mean", "api00", domain = list("stype", "M")),
              estimate(two_stages, "total", "enroll", domain = list("sch.wide", "No"))))),
  clusters = list(districts = districts, pw = apiclus1$pw[1], n_districts = 757,
                  types = c(pop_types), wide = c(pop_wide),
                  raked = by_cds(weights(api_raked)), raked_estimates = as_given(api_raked),
                  poststratified = by_cds(weights(api_post)), poststratified_estimates = as_given(api_post)))

table <- function(data) setNames(lapply(names(data), function(name) I(data[[name]])), names(data))
cat(json(list(versions = list(R = as.character(getRversion()), survey = as.character(packageVersion("survey"))),
              tables = list(people = table(people), lonely = table(lonely), schools = table(schools)),
              designs = designs, weighting = weighting, api = api)), "\n", sep = "")
