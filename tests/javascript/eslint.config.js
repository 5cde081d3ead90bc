// The recommended rules, those that keep comparisons and leftovers honest, and the bridge's own.
import js from "@eslint/js"
import globals from "globals"

// What begins with a component must end with it, and every request must work below any path.
const BRIDGE = [
  {
    selector: "CallExpression[callee.object.name=/^(window|document)$/][callee.property.name='addEventListener'][arguments.length<3]",
    message: "Pass the signal of `listen`, so that the listener ends with the component.",
  },
  { selector: "NewExpression[callee.name=/Observer$/]", message: "Use `observeSize` of bridge.js, which ends with the component." },
  { selector: "CallExpression[callee.name=/^(setTimeout|setInterval)$/]", message: "Use `timer` of bridge.js, which ends with the component." },
  { selector: "CallExpression[callee.name='requestAnimationFrame']", message: "Use `beforeFrame` of bridge.js, which ends with the component." },
  {
    selector: "CallExpression[callee.name='fetch']:not([arguments.0.callee.name='address'])",
    message: "Resolve the path with `address` of bridge.js.",
  },
]

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
  { files: ["**/*.js"], ignores: ["**/components/bridge.js"], rules: { "no-restricted-syntax": ["error", ...BRIDGE] } },
]
