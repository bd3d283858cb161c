<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Energy\Tile;
use Jeenergie\Equipment\Discovery;

final class TileTest extends JeenergieTestCase
{
    private function meter(array $config): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        $meter = $catalogue['equipment']['meter'];
        $meter['fields'][] = ['key' => 'tile', 'label' => 'Tile', 'type' => 'choice', 'default' => 'own',
            'choices' => ['own' => 'Own', 'core' => 'Core']];
        foreach (['day' => 'jour', 'month' => 'mois'] as $per => $name) {
            $meter['commands'][] = ['logicalId' => $per, 'name' => 'Conso ' . $name, 'type' => 'info',
                'subType' => 'numeric', 'unit' => 'kWh', 'measures' => ['quantity' => 'supply.energy', 'per' => $per]];
        }
        $meter['commands'][] = ['logicalId' => 'color', 'name' => 'Tempo jour', 'type' => 'info', 'subType' => 'string'];
        $catalogue['equipment']['meter'] = $meter;
        $this->useCatalogue($catalogue);
        $equipment = Discovery::create($this->connection(), 'meter', '1', 'Meter', $config);
        return jeenergie::byId($equipment->getId());
    }

    public function testTheUserChoosesBetweenItsOwnTileAndTheCores(): void
    {
        $meter = $this->meter([]);
        Memory::$config['template'] = '[#cmd#]';
        $this->assertStringContainsString('jtTable', $meter->toHtml());
        $meter->setConfiguration('config', ['tile' => 'core']);
        $this->assertSame('tile of the core', $meter->toHtml());
    }

    public function testFiguresStandByPeriodAndTheRestBelow(): void
    {
        $meter = $this->meter([]);
        $this->cmd($meter, 'day')->setCache('value', 12.34);
        $this->cmd($meter, 'month')->setCache('value', 321.9);
        $this->cmd($meter, 'color')->setCache('value', 'rouge');
        $parts = explode('</table>', Tile::content($meter));
        $this->assertStringContainsString('<td>Conso <small>kWh</small></td>', $parts[0]);
        $this->assertMatchesRegularExpression('~>12\.3</span></td><td><span[^>]*>322</span>~', $parts[0]);
        $this->assertMatchesRegularExpression('~<td>Tempo jour</td>.*#d64541.*rouge~', $parts[1]);
    }

    public function testACommandHiddenByTheUserIsLeftOut(): void
    {
        $meter = $this->meter([]);
        $this->cmd($meter, 'month')->setIsVisible(0)->save();
        $content = Tile::content($meter);
        $this->assertStringContainsString('Conso jour', $content);
        $this->assertStringNotContainsString('Conso mois', $content);
    }
}
