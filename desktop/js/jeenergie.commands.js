/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The table of commands. What the plugin relies on (type, unit) is read-only; what belongs to the user can be changed. The
 * settings of each command are added when the server has sent their fields.
 */
(function(jn) {
  'use strict';

  /** Commands that the plugin always recreates: they have no button to remove them. */
  const PERMANENT = ['refresh', 'state'];
  const SUBTYPES = {
    info: { numeric: '{{Numérique}}', binary: '{{Binaire}}', string: '{{Texte}}' },
    action: { other: '{{Bouton}}', slider: '{{Curseur}}', message: '{{Message}}', color: '{{Couleur}}', select: '{{Liste}}' }
  };

  const place = function() { return document.getElementById('div_jeenergieCommands'); };

  function attribute(tag, keys, options) {
    const attributes = Object.assign({}, options);
    attributes.class = 'cmdAttr ' + (attributes.class || '');
    keys.forEach(function(key, index) { attributes['data-l' + (index + 1) + 'key'] = key; });
    return jn.el(tag, attributes);
  }

  function check(keys, label) {
    return jn.el('label', { class: 'checkbox-inline' }, [attribute('input', keys, { type: 'checkbox' }), label]);
  }

  function limit(key, label) {
    return attribute('input', ['configuration', key], { class: 'form-control input-sm jnSmall', placeholder: label, title: label });
  }

  /** Called by the core's page script for each command. */
  jn.addCommand = function(cmd) {
    const isInfo = cmd.type === 'info';
    const isNumber = cmd.subType === 'numeric' || cmd.subType === 'slider';
    const nameCell = jn.el('td', {}, [
      jn.el('div', { class: 'input-group' }, [
        attribute('input', ['name'], { class: 'form-control input-sm roundedLeft', placeholder: '{{Nom de la commande}}' }),
        jn.el('span', { class: 'input-group-btn' }, [
          jn.el('a', { class: 'cmdAction btn btn-sm btn-default', 'data-l1key': 'chooseIcon', role: 'button', tabindex: 0, title: '{{Choisir une icône}}' }, [jn.icon('fas fa-icons')])
        ]),
        attribute('span', ['display', 'icon'], { class: 'input-group-addon roundedRight jnIcon' })
      ])
    ]);
    const typeCell = jn.el('td', {}, [
      attribute('input', ['type'], { type: 'hidden' }),
      attribute('input', ['subType'], { type: 'hidden' }),
      jn.el('span', { class: 'label label-' + (isInfo ? 'info' : 'warning'), text: isInfo ? '{{Info}}' : '{{Action}}' }),
      ' ' + ((SUBTYPES[cmd.type] || {})[cmd.subType] || cmd.subType || ''),
      jn.el('div', { class: 'jnHelp', text: cmd.logicalId })
    ]);
    const optionsCell = jn.el('td', {}, [
      check(['isVisible'], '{{Afficher}}'),
      isInfo ? check(['isHistorized'], '{{Historiser}}') : null,
      cmd.subType === 'binary' ? check(['display', 'invertBinary'], '{{Inverser}}') : null,
      isNumber ? jn.el('div', { class: 'jnLimits' }, [
        limit('minValue', '{{Min}}'), limit('maxValue', '{{Max}}'),
        attribute('input', ['unite'], { class: 'form-control input-sm jnSmall', placeholder: '{{Unité}}', title: "{{L'unité vient du plugin}}", readonly: true })
      ]) : null,
      jn.el('div', { class: 'jnCommandSettings' })
    ]);
    const actionCell = jn.el('td', {}, [
      jn.el('a', { class: 'btn btn-default btn-xs cmdAction', 'data-action': 'configure', role: 'button', tabindex: 0, title: '{{Configuration avancée}}' }, [jn.icon('fas fa-cogs')]),
      isInfo ? null : jn.el('a', { class: 'btn btn-default btn-xs cmdAction', 'data-action': 'test', role: 'button', tabindex: 0 }, [jn.icon('fas fa-rss'), ' {{Tester}}']),
      PERMANENT.includes(cmd.logicalId) ? null : jn.el('i', { class: 'fas fa-minus-circle pull-right cmdAction cursor', 'data-action': 'remove', role: 'button', tabindex: 0, 'aria-label': '{{Supprimer la commande}}', title: '{{Supprimer la commande}}' })
    ]);
    const row = jn.el('tr', { class: 'cmd', 'data-cmd_id': cmd.id }, [
      jn.el('td', { class: 'hidden-xs' }, [attribute('span', ['id'])]),
      nameCell, typeCell, optionsCell,
      jn.el('td', {}, [isInfo ? attribute('span', ['htmlstate']) : null]),
      actionCell
    ]);
    document.querySelector('#table_cmd tbody').append(row);
    row.setJeeValues(cmd, '.cmdAttr');
    row.jeenergieSettings = given((cmd.configuration || {}).settings);
  };

  /** The settings that have a value. */
  function given(settings) {
    return Object.fromEntries(Object.entries(settings || {}).filter(function([, value]) { return value !== ''; }));
  }

  /** Defaults are not stored: one changed by a new version must reach users who have never touched the setting. */
  function withoutDefaults(settings, fields) {
    const defaults = Object.fromEntries(fields.map(function(field) {
      return [field.key, field.type === 'boolean' ? (field.default ? '1' : '0') : String(field.default)];
    }));
    return Object.fromEntries(Object.entries(settings).filter(function([key, value]) { return String(value) !== defaults[key]; }));
  }

  /** Run after the core's own handler, which shows the unit of the scaled value (kW) beside the raw one (4119 W). */
  function showLiveValue(news) {
    const cell = document.querySelector('.cmdTableState[data-cmd_id="' + news.cmd_id + '"]');
    if (cell) cell.textContent = (String(news.value).substring(0, 50) + ' ' + (news.raw_unit || '')).trim();
  }

  /** Completes the rows with the server's answer about each command. */
  jn.showCommandDetails = function(details, context) {
    document.querySelectorAll('#table_cmd tr.cmd').forEach(function(row) {
      const told = details.commands[row.getAttribute('data-cmd_id')];
      if (!told) return;
      jeedom.cmd.addUpdateFunction(row.getAttribute('data-cmd_id'), showLiveValue);
      if (told.obsolete) {
        row.addClass('jnObsolete').children[2].append(jn.el('span', {
          class: 'label label-warning', text: '{{sans objet}}', title: "{{Ne correspond plus aux réglages. « Réinitialiser les commandes » l'enlève.}}"
        }));
      }
      if (!told.settings.length) return;
      const fields = told.settings.map(function(field) {
        return field.key === 'cadence' ? Object.assign({}, field, { placeholder: jn.fill('{{par défaut : %s}}', told.cadence) }) : field;
      });
      const body = jn.el('div', {});
      row.jeenergieFields = fields;
      row.jeenergieForm = jn.form(body, fields, { values: row.jeenergieSettings, narrow: true, changed: jn.touched, context: function() { return context; } });
      row.querySelector('.jnCommandSettings').replaceChildren(jn.el('details', {}, [
        jn.el('summary', { text: '{{Réglages}}' + (Object.keys(withoutDefaults(row.jeenergieSettings, fields)).length ? ' ●' : '') }), body
      ]));
    });
    const creatable = details.missing.filter(comesByItself);
    document.getElementById('span_jeenergieMissing').textContent = creatable.length || '';
    jn.current.missing = details.missing;
    jeedomUtils.initTooltips(document.getElementById('table_cmd'));
  };

  /** Adds to what the core posts the settings of the commands, and which commands the page shows. */
  jn.addCommandsTo = function(eqLogic) {
    const rows = Array.from(document.querySelectorAll('#table_cmd tr.cmd'));
    eqLogic.configuration.shownCommands = (jn.current.shown || []).join(',');
    rows.forEach(function(row, index) {
      const cmd = eqLogic.cmd[index];
      if (!cmd || !row.jeenergieForm) return;
      cmd.configuration = cmd.configuration || {};
      cmd.configuration.settings = withoutDefaults(given(row.jeenergieForm.values()), row.jeenergieFields);
    });
  };

  /* ------------------------------------------------------------------ missing commands, defaults */

  function comesByItself(row) {
    return row.create === 'always' || row.known;
  }

  function refuseUnsaved() {
    if (!jn.hasUnsavedWork()) return false;
    jn.notice(place(), 'warning', "{{Sauvegardez ou abandonnez d'abord vos modifications.}}");
    return true;
  }

  jn.actions.createMissing = function() {
    if (refuseUnsaved()) return;
    const missing = jn.current.missing || [];
    if (!missing.length) return jn.notice(place(), 'success', '{{Toutes les commandes possibles sont déjà là.}}');
    const boxes = missing.map(function(row) {
      const box = jn.el('input', { type: 'checkbox', value: row.logicalId });
      box.checked = comesByItself(row);
      return box;
    });
    jn.dialog({
      title: '{{Commandes manquantes}}', confirm: '{{Créer}}', width: 560,
      content: jn.el('div', { class: 'jnFound' }, missing.map(function(row, index) {
        return jn.el('label', { class: 'jnFoundLine' }, [
          boxes[index], jn.el('span', { text: row.name }),
          jn.el('span', { class: 'jnHelp', text: row.create === 'seen' && !row.known ? "{{aucune donnée reçue pour l'instant}}" : row.known ? '{{a été supprimée}}' : '' })
        ]);
      })),
      done: async function() {
        const chosen = boxes.filter(function(box) { return box.checked; }).map(function(box) { return box.value; });
        if (!chosen.length) throw new Error('{{Cochez au moins une commande.}}');
        const answer = await jn.ask('createMissingCommands', { id: jn.current.id, logicalIds: chosen });
        jn.afterReload('success', jn.counted('{{%s commande créée.|%s commandes créées.}}', answer.created.length));
        setTimeout(jn.reload);
      }
    });
  };

  jn.actions.resetCommands = async function() {
    if (refuseUnsaved()) return;
    const agreed = await jn.confirm('{{Réinitialiser les commandes}}', [
      "{{Les noms, l'affichage, l'historisation, les widgets et l'ordre redeviennent ceux du plugin. Les commandes sans objet sont supprimées.}}",
      '{{Les identifiants, les historiques et les scénarios qui utilisent les autres commandes restent.}}'
    ], [], '{{Réinitialiser}}', 'warning');
    if (!agreed) return;
    try {
      await jn.ask('resetCommands', { id: jn.current.id });
      jn.afterReload('success', '{{Les commandes ont leurs réglages par défaut.}}');
      jn.reload();
    } catch (error) {
      jn.notice(place(), 'danger', error.message);
    }
  };
})(window.jeenergiePage);
