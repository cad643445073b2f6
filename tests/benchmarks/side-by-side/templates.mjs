import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a template of ./templates to a file with every {{name}} replaced by its value; returns the file's path. */
export function fillTemplate(template, file, values) {
  const text = readFileSync(new URL(`templates/${template}`, import.meta.url), 'utf8');
  writeFileSync(file, text.replace(/{{(.*?)}}/g, (_, name) => {
    if (!(name in values)) throw new Error(`${template} asks for {{${name}}}`);
    return values[name];
  }));
  return file;
}
