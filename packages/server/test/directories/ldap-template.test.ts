// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import fc from 'fast-check';
import { DN, FilterParser } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { fillDn, fillFilter } from '../../src/directories/ldap-template.ts';

describe('a template of a distinguished name', () => {
  it.each([
    ['ann', 'uid=ann,ou=people'],
    ['ann,ou=admins', 'uid=ann\\,ou\\=admins,ou=people'],
    ['a+b="c"', 'uid=a\\+b\\=\\"c\\",ou=people'],
    [' ann ', 'uid=\\ ann\\ ,ou=people'],
    ['#ff', 'uid=\\#ff,ou=people'],
    ['a\0b', 'uid=a\\00b,ou=people'],
    ['a\\', 'uid=a\\\\,ou=people'],
    ['${id}', 'uid=${id},ou=people'],
  ])('keeps %j one value', (username, expected) => {
    expect(fillDn('uid=${username},ou=people', { username })).toBe(expected);
  });

  it('never gets another level from a value, whatever it holds', () => {
    const levels = (text: string) => text.match(/(?<!\\)(?:\\\\)*,/g)?.length ?? 0;
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (username) => {
        expect(levels(fillDn('uid=${username},ou=people,dc=example', { username }))).toBe(2);
      }),
    );
    expect(new DN({ uid: 'ann' }).toString()).toBe(fillDn('uid=${username}', { username: 'ann' }));
  });
});

describe('a template of a filter', () => {
  it.each(['*', 'ann)(uid=*', 'ann)(|(objectClass=*', '\\2a', 'a\0b', 'ü'])(
    'keeps %j one value of one equality',
    (id) => {
      const filter = FilterParser.parseString(fillFilter('(member=${id})', { id }));
      expect(filter).toMatchObject({ attribute: 'member', value: id });
    },
  );

  it('fills a name in that was escaped as part of a distinguished name', () => {
    const dn = fillDn('uid=${id},ou=people', { id: 'a,b*' });
    expect(fillFilter('(member=${dn})', { dn })).toBe('(member=uid=a\\5c,b\\2a,ou=people)');
  });
});
