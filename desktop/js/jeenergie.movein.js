/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/* Taking over a former plugin: what was found, what would be done, progress, the report, and undoing it. */
(function(jn) {
  'use strict';

  const POLL_MS = 2000;
  const KINDS = {
    scenario: '{{Scénarios}}', design: '{{Designs}}', view: '{{Vues}}', interaction: '{{Interactions}}', object: '{{Objets}}',
    plugin: '{{Autres plugins}}', variable: '{{Variables}}', user: '{{Utilisateurs}}', setting: '{{Réglages de Jeedom}}'
  };
  const STEPS = {
    stop: "{{Arrêt de l'ancien plugin}}", makeRoom: '{{Préparation}}', connections: '{{Connexions}}', equipment: '{{Équipements et commandes}}',
    history: '{{Copie des historiques}}', references: '{{Scénarios, designs, vues}}', switchOff: "{{Désactivation de l'ancien plugin}}",
    seam: '{{Dernières mesures}}', enable: '{{Activation}}', disable: '{{Désactivation}}', points: '{{Copie des mesures reçues depuis}}',
    remove: '{{Suppression de ce que la reprise a créé}}', former: "{{Remise en marche de l'ancien plugin}}"
  };

  jn.actions.moveIn = async function(button) {
    const content = jn.el('div', { class: 'jnMoveIn', 'aria-live': 'polite' });
    const answer = await jn.busy(button, jn.ask('moveInList', {}));
    let isOpen = true;
    const dialog = jn.dialog({
      title: '{{Reprendre un ancien plugin}}', width: 860, content: content,
      closed: function() { isOpen = false; }
    });
    const show = function() { content.replaceChildren.apply(content, arguments); };
    const fail = function(error) { dialog.notice('danger', error.message); };

    function list(formers) {
      show.apply(null, [jn.el('p', {
        text: "{{Les réglages, équipements, historiques et tout ce qui les utilise passent à Jeenergie. L'ancien plugin est désactivé, et gardé : la reprise peut être annulée tant qu'il est là. Faites d'abord une sauvegarde de Jeedom.}}"
      })].concat(formers.map(card)));
    }

    function card(former) {
      const parts = [jn.el('strong', { text: former.title }), ' ', jn.el('span', { class: 'jnHelp', text: jn.counted('{{%s équipement|%s équipements}}', former.equipment) })];
      if (former.state === 'running' || former.state === 'undoing') {
        parts.push(jn.button('{{Suivre}}', 'fas fa-eye', function() { follow(former); }));
      } else if (former.state === 'done') {
        parts.push(' ', jn.button('{{Annuler la reprise}}', 'fas fa-undo', function() { undo(former); }, 'btn-warning'), report(former));
      } else {
        parts.push(' ', jn.button('{{Voir ce qui serait fait}}', 'fas fa-search', function() { plan(former); }, 'btn-success'), report(former));
      }
      return jn.el('div', { class: 'jnMoveInCard' }, parts);
    }

    function report(former) {
      const title = { done: '{{Repris.}}', undone: '{{Reprise annulée.}}' }[former.state];
      if (!title) return null;
      return jn.el('div', {}, [jn.el('p', { text: title + ' ' + (former.ended ? jn.moment(former.ended) : '') })].concat(
        former.report.length ? jn.el('ul', {}, former.report.map(function(line) { return jn.el('li', { text: line }); })) : []
      ));
    }

    async function plan(former) {
      show(jn.el('p', { class: 'jnHelp', text: '{{Lecture en cours…}}' }));
      try {
        const found = await jn.ask('moveInPlan', { plugin: former.plugin });
        const incomplete = found.connections.some(function(each) { return each.missing.length > 0; });
        const parts = [
          section('{{Connexions}}', found.connections.map(connectionLine)),
          jn.el('h4', { text: jn.counted('{{Équipements, %s mesure à copier|Équipements, %s mesures à copier}}', found.points) })
        ].concat(found.equipment.map(equipmentPart), found.made.map(madePart), usesParts(found.uses));
        if (found.stopsPlugin) parts.push(jn.el('p', { text: "{{L'ancien plugin est arrêté en premier : deux programmes qui se partagent les mêmes jetons se déconnectent l'un l'autre.}}" }));
        if (incomplete) parts.push(jn.el('p', { text: '{{La connexion restera désactivée : complétez-la ensuite.}}' }));
        parts.push(jn.button('{{Reprendre}}', 'fas fa-check', function(event) {
          jn.busy(event.currentTarget, jn.ask('moveIn', { plugin: former.plugin })).then(function() { follow(former); }, fail);
        }, 'btn-success'));
        show.apply(null, parts);
      } catch (error) {
        fail(error);
        list(answer.former);
      }
    }

    function section(title, lines) {
      return jn.el('div', {}, [jn.el('h4', { text: title }), jn.el('ul', {}, lines)]);
    }

    function connectionLine(each) {
      let text = each.known === null ? jn.fill('{{« %s » sera créée}}', each.name) : jn.fill('{{« %s » est déjà là et servira}}', each.name);
      if (each.settings.length) text += '{{ ; }}' + jn.fill('{{repris : %s}}', each.settings.join(', '));
      if (each.missing.length) text += '{{ ; }}' + jn.fill('{{il manque : %s}}', each.missing.join(', '));
      return jn.el('li', { text: text });
    }

    function equipmentPart(each) {
      const taken = each.commands.filter(function(cmd) { return cmd.to !== null; });
      const rest = each.commands.filter(function(cmd) { return cmd.to === null || cmd.reason; });
      const summary = each.reason || jn.counted('{{%s commande sur %s|%s commandes sur %s}}', taken.length, each.commands.length);
      const lines = (each.reason ? [] : taken.map(function(cmd) {
        let text = cmd.name;
        if (cmd.points) text = jn.says(text, jn.counted('{{%s mesure, du %s au %s|%s mesures, du %s au %s}}', cmd.points, jn.moment(cmd.first), jn.moment(cmd.last)));
        return jn.el('li', { text: text });
      })).concat(rest.filter(function(cmd) { return cmd.reason; }).map(function(cmd) {
        return jn.el('li', { class: 'jnMoveInRefused', text: jn.says(cmd.name, cmd.reason) });
      }));
      return jn.el('details', {}, [
        jn.el('summary', {}, [jn.icon(each.reason ? 'fas fa-times' : 'fas fa-check'), ' ', jn.el('strong', { text: each.name }), ' ' + summary]),
        jn.el('ul', {}, lines)
      ]);
    }

    // Settings there, an equipment here.
    function madePart(each) {
      const text = each.missing.length ? jn.fill('{{il manque : %s}}', each.missing.join(', ')) : each.note;
      return jn.el('p', { class: each.missing.length ? 'jnMoveInRefused' : '' }, [
        jn.icon(each.missing.length ? 'fas fa-times' : 'fas fa-check'), ' ', jn.el('strong', { text: each.key }), ' ' + text
      ]);
    }

    function usesParts(uses) {
      return [['{{Ce qui les utilise, et les désignera ensuite}}', false], ['{{Ce qui utilise des commandes non reprises, et reste tel quel}}', true]].map(function(part) {
        const lines = uses.filter(function(use) { return use.stays === part[1]; }).map(function(use) {
          return jn.el('li', { text: jn.says(KINDS[use.kind], use.name + (use.count > 1 ? ' (' + use.count + ')' : '')) });
        });
        return lines.length ? section(part[0], lines) : null;
      }).filter(Boolean);
    }

    async function undo(former) {
      const agreed = await jn.confirm('{{Annuler la reprise}}', [
        jn.fill('{{Tout désignera de nouveau « %s », qui est remis en marche. Les mesures reçues depuis lui sont rendues. Ce que la reprise a créé est supprimé.}}', former.title)
      ], [], '{{Annuler la reprise}}', 'danger');
      if (agreed) jn.ask('moveInUndo', { plugin: former.plugin }).then(function() { follow(former); }, fail);
    }

    async function follow(former) {
      const bar = jn.el('progress', { max: 100, value: 0, style: 'width:100%' });
      const text = jn.el('p', { class: 'jnHelp' });
      show(jn.el('p', { text: '{{Vous pouvez fermer cette fenêtre : le travail continue, même après un redémarrage.}}' }), bar, text);
      while (isOpen) {
        try {
          const now = (await jn.ask('moveInList', {})).former;
          const own = now.find(function(each) { return each.plugin === former.plugin; });
          if (!own || (own.state !== 'running' && own.state !== 'undoing')) {
            jn.afterReload('success', jn.says(former.title, own && own.state === 'undone' ? '{{Reprise annulée.}}' : '{{Repris.}}'));
            answer.former = now;
            list(now);
            return;
          }
          // The core's cache is empty to whoever reads it while it is written: what was shown last stays.
          if (own.progress.percent !== undefined) bar.value = own.progress.percent;
          if (own.progress.step !== undefined) text.textContent = (STEPS[own.progress.step] || '') + ' ' + (own.report.length ? own.report[own.report.length - 1] : '');
        } catch (error) {
          fail(error);
        }
        await new Promise(function(resolve) { setTimeout(resolve, POLL_MS); });
      }
    }

    list(answer.former);
  };
})(window.jeenergiePage);
