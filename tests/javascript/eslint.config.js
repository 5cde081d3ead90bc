// The recommended rules, and those that keep comparisons and leftovers honest.
import js from "@eslint/js"
import globals from "globals"

export default [
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-unused-vars": ["error", { caughtErrors: "all" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
]
