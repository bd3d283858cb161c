<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Equipment\Discovery;

final class WidgetTemplateTest extends JeenergieTestCase
{
    private const FOLDER = __DIR__ . '/../../core/template/dashboard';

    private function charger(array $config = []): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['equipment']['meter']['widget'] = ['template' => 'labTile', 'when' => ['kind' => 'gas']];
        $catalogue['equipment']['meter']['fields'][] = ['key' => 'pin', 'label' => 'Pin', 'type' => 'secret'];
        $catalogue['equipment']['meter']['fields'][] = ['key' => 'note', 'label' => 'Note', 'type' => 'text'];
        $this->useCatalogue($catalogue);
        $connection = $this->connection();
        $equipment = Discovery::create($connection, 'meter', '1', 'Meter', $config);
        return jeenergie::byId($equipment->getId());
    }

    public function testATypeWithATemplateHasItsOwnTile(): void
    {
        $charger = $this->charger();
        Memory::$config['template'] = '#name_display# #cmd:power# #cmdId:power#';
        $id = $this->cmd($charger, 'power')->getId();
        $this->assertSame('Meter <b>power dashboard</b><i>0|–</i> ' . $id, $charger->toHtml());
        $this->assertSame('Meter <b>power mobile</b><i>0|–</i> ' . $id, $charger->toHtml('mview'));
    }

    public function testOneFileServesBothViews(): void
    {
        $name = preg_replace('/\.html$/', '', current(preg_grep('/^(?!cmd\.).*\.html$/', scandir(self::FOLDER))));
        $catalogue = Catalogue::of($this->lab());
        $charger = $this->charger();
        $catalogue['equipment']['meter']['widget'] = ['template' => $name];
        $this->useCatalogue($catalogue);
        foreach (['dview', 'mview'] as $view) {
            $this->assertStringContainsString('<div class="eqLogic eqLogic-widget', $charger->toHtml($view), $view);
        }
    }

    public function testTheCoresTileIsShownOtherwise(): void
    {
        $charger = $this->charger();
        Memory::$config['template'] = 'own';
        $this->assertSame('own', $charger->toHtml());
        $charger->setDisplay('widgetTmpl', 0);
        $this->assertSame('tile of the core', $charger->toHtml());
        $charger->setDisplay('widgetTmpl', 1);
        $charger->setConfiguration('config', ['kind' => 'water', 'tile' => 'core']);
        $this->assertSame('tile of the core', $charger->toHtml());
    }

    public function testAMissingTemplateLeavesTheCoresTile(): void
    {
        $this->assertSame('tile of the core', $this->charger()->toHtml());
    }

    public function testWhatMayNotBeSeenHasNoTile(): void
    {
        $charger = $this->charger();
        Memory::$config['template'] = 'own';
        $charger->setIsEnable(0);
        $this->assertSame('', $charger->toHtml());
    }

    public function testCommandsThatAreAbsentOrHiddenLeaveNothing(): void
    {
        $charger = $this->charger();
        $valve = $this->cmd($charger, 'valve'); // hidden by default
        $valve->setCache('value', 1);
        Memory::$config['template'] = '[#cmd:valve#][#cmdValue:valve#][#cmd:index1##cmdId:index1##cmdValue:index1#][#cmdValue:open#]';
        $this->assertSame('[][1][][]', $charger->toHtml());
    }

    public function testValuesAreEscapedAndNotSearchedForTags(): void
    {
        $charger = $this->charger(['note' => '<i>"#cmdId:power#"', 'pin' => '1234']);
        $this->cmd($charger, 'power')->setCache('value', "</script>'");
        Memory::$config['template'] = '#config:note#|#cmdValue:power#|#config:pin#|#config:kind#|#config:none#';
        $expected = '&lt;i&gt;&quot;#cmdId:power#&quot;|&lt;/script&gt;&#039;||gas|';
        $this->assertSame($expected, $charger->toHtml());
    }

    public function testEveryTemplateOfTheCataloguesIsThere(): void
    {
        $this->forgetCatalogues();
        $missing = [];
        foreach (Catalogue::backends() as $backend) {
            $catalogue = Catalogue::of($backend);
            foreach (array_merge([null], array_keys($catalogue['equipment'])) as $type) {
                $tile = Catalogue::part($backend, $type)['widget']['template'] ?? null;
                $missing[] = $tile === null || getTemplate('core', 'dashboard', $tile, 'jeenergie') !== '' ? null : $tile;
                $names = [];
                foreach (Catalogue::rows($backend, $type) as $row) {
                    $own = explode('jeenergie::', $row['template'] ?? '')[1] ?? null;
                    $names[] = $own === null ? null : 'cmd.' . $row['type'] . '.' . $row['subType'] . '.' . $own;
                }
                foreach (array_filter($names) as $name) {
                    foreach (['dashboard', 'mobile'] as $version) {
                        $missing[] = getTemplate('core', $version, $name, 'jeenergie') === '' ? "$version/$name" : null;
                    }
                }
            }
        }
        $this->assertNotSame([], $missing);
        $this->assertSame([], array_filter($missing));
    }
}
