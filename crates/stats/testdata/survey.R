# Expected numbers for the tests of ratios over clusters, from R's survey package.
#
#     Rscript survey.R > survey.json      # needs r-cran-survey
#
# Clusters are given as (numerator, denominator) sums; here they are unfolded into single 0/1 or counted observations.
suppressPackageStartupMessages(library(survey))
set.seed(20261124)
case <- function(m, level) {
  size <- sample(1:30, m, replace = TRUE)
  p <- rbeta(m, 2, 5)
  data <- data.frame(id = rep(1:m, size), y = rbinom(sum(size), 1, rep(p, size)))
  design <- svydesign(ids = ~id, data = data, weights = ~1)
  mean <- svymean(~y, design)
  plain <- confint(mean, level = level, df = degf(design))
  logit <- attr(svyciprop(~y, design, method = "logit", level = level), "ci")
  sums <- aggregate(y ~ id, data, function(y) c(sum(y), length(y)))
  clusters <- paste(sprintf("[%d, %d]", sums$y[, 1], sums$y[, 2]), collapse = ", ")
  sprintf('{"clusters": [%s], "level": %g, "value": %.15g, "std_error": %.15g, "logit": [%.15g, %.15g], "plain": [%.15g, %.15g]}',
          clusters, level, coef(mean), SE(mean), logit[1], logit[2], plain[1], plain[2])
}
cases <- c(case(12, .95), case(40, .9), case(150, .99))
cat(sprintf('{"versions": {"R": "%s", "survey": "%s"}, "cases": [\n%s\n]}\n', getRversion(),
            packageVersion("survey"), paste(cases, collapse = ",\n")))
