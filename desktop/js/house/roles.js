/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * "Votre maison": which source takes which part, its value and age, how sure that is and why, and one button to decide
 * otherwise.
 */
(function(house) {
  'use strict';

  const math = house.math, make = house.make;
  const SURE = { sure: '{{sûr}}', check: '{{à confirmer}}', duplicate: '{{en double}}' };

  /**
   * What the buttons of a source do: a jump is accepted, what was decided is taken back, what counts is left out, what does
   * not is added; what is not sure can be confirmed as well.
   */
  function decisions(role) {
    if (role.quarantined !== null && role.quarantined !== undefined) return [['accepted', '{{Accepter le saut}}']];
    if (role.decided) return [['none', '{{Choix automatique}}']];
    const confirm = role.confidence === 'sure' ? [] : role.used ? [['confirmed', '{{Confirmer}}']]
      : [['ignored', role.confidence === 'duplicate' ? '{{Confirmer le doublon}}' : '{{Écarter}}']];
    return [...confirm, role.used ? ['ignored', '{{Écarter}}'] : ['added', '{{Ajouter}}']];
  }

  function value(role, data) {
    return typeof role.value === 'number' ? math.text(role.value, role.unit, data.language) : role.value === null ? '–' : String(role.value);
  }

  function line(role, data, decide) {
    const place = make('tr', role.used ? '' : 'jhUnused');
    const source = make('td', '', role.equipment);
    source.append(make('small', '', role.command + (role.part ? ' · ' + role.part : '')));
    const state = make('td', '', role.used ? '{{compte}}' : '{{ne compte pas}}');
    if (role.used || role.confidence !== 'sure') state.append(make('small', role.confidence === 'sure' ? '' : 'jhCheck', SURE[role.confidence] || role.confidence));
    const buttons = make('td', 'jhDecide');
    (data.isAdmin ? decisions(role) : []).forEach(([word, text]) => {
      const made = make('button', 'jhButton', text);
      made.type = 'button';
      made.dataset.role = 'none';
      made.setAttribute('aria-label', text + '{{ : }}' + role.name + ', ' + role.equipment);
      made.addEventListener('click', () => decide(role.source.equipment + ':' + role.source.command, word, made));
      buttons.append(made);
    });
    const why = role.quarantined ? '{{ce compteur a fait un saut impossible}}' : role.why;
    place.append(make('th', '', role.name), source, make('td', 'jhNumber', value(role, data)),
      make('td', 'jhAge', role.age === null ? '–' : house.flow.ago(role.age)), state, make('td', '', why), buttons);
    return place;
  }

  /** Draws the answer of the server's `roles`. */
  function draw(place, roles, data, decide) {
    const table = make('table'), head = make('tr'), body = make('tbody'), top = make('thead');
    ['{{Rôle}}', '{{Source}}', '{{Valeur}}', '{{Âge}}', '{{Dans la maison}}', '{{Pourquoi}}', ''].forEach((text) => head.append(make('th', '', text)));
    body.append(...roles.map((role) => line(role, data, decide)));
    top.append(head);
    table.append(top, body);
    place.replaceChildren(roles.length ? table : make('p', 'jhHint', "{{Aucune source n'a encore donné de valeur.}}"));
  }

  house.roles = { draw: draw, decisions: decisions };
})(window.jeenergieHouse);
